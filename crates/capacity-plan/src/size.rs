//! Sizes as engines print them: rounded.

/// A number of bytes as it was printed, with what rounding can hide.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// Bytes.
    pub bytes: f64,
    /// Half of the last printed digit, in bytes.
    pub half_digit: f64,
}

impl Size {
    /// Both added up.
    pub fn plus(self, other: Size) -> Size {
        Size {
            bytes: self.bytes + other.bytes,
            half_digit: self.half_digit + other.half_digit,
        }
    }

    /// The second taken from the first.
    pub fn less(self, other: Size) -> Size {
        Size {
            bytes: self.bytes - other.bytes,
            half_digit: self.half_digit + other.half_digit,
        }
    }

    /// Of several; `None` of none.
    pub fn sum(sizes: &[Size]) -> Option<Size> {
        sizes.iter().copied().reduce(Size::plus)
    }
}
