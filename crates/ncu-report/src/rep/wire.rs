//! The encoding of messages (protocol buffers): fields with a number and one of four shapes. It knows no message.

use crate::error::ReadError;
use crate::text::bounded;

/// A message, with its place in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) bytes: &'a [u8],
    /// Of its first byte.
    pub(crate) offset: u64,
}

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape<'a> {
    /// A number, or a truth value.
    Varint(u64),
    /// Eight bytes.
    Fixed64(u64),
    /// Four bytes.
    Fixed32(u32),
    /// Text, bytes or a message.
    Bytes(Message<'a>),
}

impl<'a> Message<'a> {
    /// Its fields in order, numbers with shapes. After an error there are no more.
    pub(crate) fn fields(self) -> Fields<'a> {
        Fields { rest: self }
    }

    /// Its bytes as text.
    pub(crate) fn text(self, cap: usize) -> String {
        bounded(self.bytes, cap)
    }

    /// The first `length` bytes, which are taken off.
    fn take(&mut self, length: usize) -> Option<Message<'a>> {
        let (head, rest) = self.bytes.split_at_checked(length)?;
        let head = Message {
            bytes: head,
            offset: self.offset,
        };
        self.bytes = rest;
        self.offset += length as u64;
        Some(head)
    }

    /// The next number of seven bits a byte, or what is wrong with it.
    #[inline]
    fn varint(&mut self) -> Result<u64, &'static str> {
        // Keys, lengths and most numbers are of one byte.
        if let [byte @ 0..0x80, rest @ ..] = self.bytes {
            self.bytes = rest;
            self.offset += 1;
            return Ok((*byte).into());
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0;
        for (index, byte) in self.bytes.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.bytes = &self.bytes[index + 1..];
                self.offset += index as u64 + 1;
                return Ok(value);
            }
        }
        Err(if self.bytes.len() < 10 {
            "a message ends inside a number"
        } else {
            "a number has more than ten bytes"
        })
    }
}

/// Fields that are left of a message.
pub(crate) struct Fields<'a> {
    rest: Message<'a>,
}

impl<'a> Fields<'a> {
    #[inline]
    fn field(&mut self) -> Result<(u64, Shape<'a>), &'static str> {
        let key = self.rest.varint()?;
        let number = key >> 3;
        if number == 0 {
            return Err("a field has the number 0");
        }
        let shape = match key & 7 {
            0 => Shape::Varint(self.rest.varint()?),
            1 => Shape::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = self.rest.varint()?;
                let message = usize::try_from(length)
                    .ok()
                    .and_then(|length| self.rest.take(length));
                Shape::Bytes(message.ok_or("a field is longer than its message")?)
            }
            5 => Shape::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err("a field has a shape that does not exist"),
        };
        Ok((number, shape))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let message = self.rest.take(N).ok_or("a message ends inside a number")?;
        Ok(message.bytes.try_into().expect("N bytes were taken"))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Shape<'a>), ReadError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.bytes.is_empty() {
            return None;
        }
        let offset = self.rest.offset;
        let field = self.field().map_err(|what| ReadError::Corrupt { offset, what });
        if field.is_err() {
            self.rest.bytes = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<Result<(u64, Shape<'_>), ReadError>> {
        Message { bytes, offset: 100 }.fields().collect()
    }

    fn wrong(bytes: &[u8]) -> String {
        let fields = read(bytes);
        let last = fields.into_iter().next_back().expect("a field");
        last.expect_err("an error").to_string()
    }

    #[test]
    fn the_four_shapes() {
        let bytes = [
            0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x1a, 2, b'h', b'i', 0x25, 2, 0, 0, 0,
        ];
        let fields: Vec<_> = read(&bytes).into_iter().map(Result::unwrap).collect();
        assert!(matches!(fields[0], (1, Shape::Varint(150))));
        assert!(matches!(fields[1], (2, Shape::Fixed64(1))));
        assert!(matches!(fields[2], (3, Shape::Bytes(Message { bytes, offset: 114 })) if bytes == b"hi"));
        assert!(matches!(fields[3], (4, Shape::Fixed32(2))));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_offset_of_its_field() {
        assert_eq!(
            wrong(&[0x08, 1, 0x08]),
            "read the bytes at offset 102: a message ends inside a number"
        );
        assert!(wrong(&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]).contains("more than ten"));
        assert!(wrong(&[0x0a, 2, 0]).contains("longer than its message"));
        assert!(wrong(&[0x0b]).contains("shape"));
        assert!(wrong(&[0x00, 0]).contains("number 0"));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>) {
            prop_assert!(read(&bytes).len() <= bytes.len());
        }
    }
}
