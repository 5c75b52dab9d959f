//! What is said once for all kernels. It comes in parts, over the headers of many blocks, and is merged.

use std::collections::BTreeMap;

use crate::error::ReadError;
use crate::facts::{describe_gpu, settings};
use crate::limits::Budget;
use crate::model::{Kernel, Session, Value};
use crate::text::{NAME_CAP, TEXT_CAP};

use super::metric::{self, value};
use super::wire::{Message, Shape};

/// A GPU of the machine.
#[derive(Debug, Default)]
struct Device {
    id: u64,
    name: Option<String>,
    attributes: BTreeMap<String, Value>,
}

/// What the blocks have said so far.
#[derive(Debug, Default)]
pub(super) struct Parts {
    session: Session,
    devices: Vec<Device>,
    clock_setting: Option<String>,
}

impl Parts {
    /// Merges one part. What is said twice is what was said last.
    pub(super) fn add(&mut self, message: Message<'_>, budget: &mut Budget) -> Result<(), ReadError> {
        for field in message.fields() {
            match field? {
                (2, Shape::Varint(seconds)) => self.session.created_unix_s = Some(seconds),
                (3 | 4, Shape::Bytes(system)) => self.add_system(system)?,
                (6, Shape::Bytes(device)) => self.add_device(device, budget)?,
                (8, Shape::Bytes(version)) => self.add_version(version)?,
                (9, Shape::Bytes(executable)) => self.add_executable(executable)?,
                (10, Shape::Bytes(settings)) => {
                    for field in settings.fields() {
                        if let (8, Shape::Bytes(text)) = field? {
                            self.clock_setting = not_empty(text.text(NAME_CAP).to_lowercase());
                        }
                    }
                }
                (11, Shape::Bytes(text)) => self.session.command_line = not_empty(text.text(TEXT_CAP)),
                _ => {}
            }
        }
        Ok(())
    }

    /// The process of a block: its path, where the session does not name one.
    pub(super) fn add_process(&mut self, message: Message<'_>) -> Result<(), ReadError> {
        let private = &mut self.session.private;
        for field in message.fields() {
            match field? {
                (2, Shape::Bytes(text)) if private.host.is_none() => {
                    private.host = not_empty(text.text(NAME_CAP))
                }
                (3, Shape::Bytes(text)) if private.program.is_none() => {
                    private.program = not_empty(text.text(TEXT_CAP));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add_system(&mut self, message: Message<'_>) -> Result<(), ReadError> {
        for field in message.fields() {
            if let (5, Shape::Bytes(text)) = field? {
                let host = not_empty(text.text(NAME_CAP));
                self.session.private.host = host.or(self.session.private.host.take());
            }
        }
        Ok(())
    }

    fn add_version(&mut self, message: Message<'_>) -> Result<(), ReadError> {
        let (mut provider, mut version) = (String::new(), None);
        for field in message.fields() {
            match field? {
                (1, Shape::Bytes(text)) => provider = text.text(NAME_CAP),
                (2, Shape::Bytes(text)) => version = not_empty(text.text(NAME_CAP)),
                _ => {}
            }
        }
        let session = &mut self.session;
        match provider.as_str() {
            "CUDA Version" => session.cuda_version = version,
            "Display Driver Version" => session.driver_version = version,
            "Nsight Compute Target" => session.ncu_version = version.as_deref().and_then(without_build),
            _ => {}
        }
        Ok(())
    }

    fn add_executable(&mut self, message: Message<'_>) -> Result<(), ReadError> {
        let private = &mut self.session.private;
        for field in message.fields() {
            match field? {
                (1, Shape::Bytes(text)) => private.program = not_empty(text.text(TEXT_CAP)),
                (2, Shape::Bytes(text)) => private.working_directory = not_empty(text.text(TEXT_CAP)),
                (4, Shape::Bytes(text)) => private.environment = not_empty(text.text(TEXT_CAP)),
                _ => {}
            }
        }
        Ok(())
    }

    fn add_device(&mut self, message: Message<'_>, budget: &mut Budget) -> Result<(), ReadError> {
        let mut device = Device::default();
        for field in message.fields() {
            match field? {
                (1, Shape::Varint(id)) => device.id = id,
                (2, Shape::Bytes(text)) => device.name = not_empty(text.text(NAME_CAP)),
                (3, Shape::Bytes(attribute)) => {
                    let (mut name, mut content) = (String::new(), None);
                    for field in attribute.fields() {
                        match field? {
                            (1, Shape::Bytes(text)) => name = text.text(NAME_CAP),
                            (2, Shape::Bytes(message)) => content = value(message, &mut false)?,
                            _ => {}
                        }
                    }
                    budget.keep::<(String, Value)>(name.len() + metric::text(&content))?;
                    device.attributes.extend(content.map(|content| (name, content)));
                }
                _ => {}
            }
        }
        budget.keep::<Device>(0)?;
        self.devices.push(device);
        Ok(())
    }

    /// The session of a report whose first kernel is `first`.
    pub(super) fn finish(self, first: Option<&Kernel>) -> Session {
        let mut session = self.session;
        // Numbers of devices and `device_index` count alike in every report seen; one device is the usual case.
        let index = first.and_then(|kernel| kernel.metrics.get("device__attribute_device_index"));
        let index = match index.and_then(|metric| metric.value.as_ref()) {
            Some(Value::Integer(index)) => Some(*index),
            _ => None,
        };
        let mut devices = self.devices;
        let place = devices.iter().position(|device| Some(device.id) == index);
        if let Some(device) = place
            .or((devices.len() == 1).then_some(0))
            .map(|place| devices.swap_remove(place))
        {
            session.gpu = device.name;
            session.attributes = device.attributes;
        }
        describe_gpu(&mut session, first);
        settings(&mut session, self.clock_setting);
        session
    }
}

/// `2025.3.1.0` of `2025.3.1.0 (build 36398880) (public-release)`.
fn without_build(version: &str) -> Option<String> {
    version.split_whitespace().next().map(str::to_owned)
}

fn not_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
