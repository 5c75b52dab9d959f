//! Readings in parts of a second, so that those around a benchmark can be told from the others when it is over.
//!
//! A window of any length has a bounded number of parts: when there are too many, each two become one, and parts are twice as
//! long from then on. Means, extremes and counts of a part are those of its readings; nothing of them is lost.

use std::collections::BTreeMap;

use contracts::telemetry_fetch::gpu::GpuDeviceReading;

use super::device::DeviceFold;

/// Length of a part at first, seconds.
const PART_S: f64 = 1.0;
/// Most parts: 17 minutes of seconds.
const MOST: usize = 1024;

/// Readings of some time.
#[derive(Clone, Debug, Default)]
struct Part {
    from_s: f64,
    to_s: f64,
    readings: u64,
    devices: BTreeMap<u32, DeviceFold>,
}

/// All readings.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    all: Vec<Part>,
    length_s: f64,
    /// What they are cut to, seconds.
    window: Option<(f64, f64)>,
}

impl Default for Parts {
    fn default() -> Parts {
        Parts {
            all: Vec::new(),
            length_s: PART_S,
            window: None,
        }
    }
}

impl Parts {
    /// Adds the reading of a moment, which is later than those before.
    pub(super) fn add(&mut self, at_s: f64, devices: &[GpuDeviceReading]) {
        let is_new = self
            .all
            .last()
            .is_none_or(|part| at_s >= part.from_s + self.length_s);
        if is_new {
            if self.all.len() >= MOST {
                self.halve();
            }
            self.all.push(Part {
                from_s: at_s,
                ..Part::default()
            });
        }
        let part = self.all.last_mut().expect("one was pushed");
        part.to_s = at_s;
        part.readings += 1;
        for device in devices {
            part.devices.entry(device.index).or_default().add(at_s, device);
        }
    }

    /// Each two become one.
    fn halve(&mut self) {
        self.length_s *= 2.0;
        let merged = self.all.chunks(2).map(|pair| {
            let mut first = pair[0].clone();
            for second in &pair[1..] {
                first.to_s = second.to_s;
                first.readings += second.readings;
                for (index, device) in &second.devices {
                    first.devices.entry(*index).or_default().merge(device);
                }
            }
            first
        });
        self.all = merged.collect();
    }

    /// Keeps the parts that touch a window, and cuts what counts to it. The part on each side stays for its nearest reading: a
    /// counter at an edge between two parts lies on the line between both.
    pub(super) fn narrow(&mut self, from_s: f64, to_s: f64) {
        let first = self.all.partition_point(|part| part.to_s < from_s);
        let last = self.all.partition_point(|part| part.from_s <= to_s);
        self.all.truncate(last + 1);
        self.all.drain(..first.saturating_sub(1).min(self.all.len()));
        self.window = Some((from_s, to_s));
    }

    /// The parts that touch the window.
    fn inside(&self) -> impl Iterator<Item = &Part> {
        let touches = |part: &Part, (from_s, to_s)| part.to_s >= from_s && part.from_s <= to_s;
        self.all
            .iter()
            .filter(move |part| self.window.is_none_or(|window| touches(part, window)))
    }

    pub(super) fn readings(&self) -> u64 {
        self.inside().map(|part| part.readings).sum()
    }

    /// The devices over the parts of the window, by index.
    pub(super) fn devices(&self) -> Vec<DeviceFold> {
        let mut devices: BTreeMap<u32, DeviceFold> = BTreeMap::new();
        for part in self.inside() {
            for (index, device) in &part.devices {
                devices.entry(*index).or_default().merge(device);
            }
        }
        if let Some((from_s, to_s)) = self.window {
            for (index, device) in &mut devices {
                device.cut(&self.of(*index), from_s, to_s);
            }
        }
        devices.into_values().collect()
    }

    /// Joules of one device from one second to another; none where its readings do not reach.
    pub(super) fn energy_between(&self, index: u32, from_s: f64, to_s: f64) -> Option<f64> {
        DeviceFold::energy_between(&self.of(index), from_s, to_s)
    }

    fn of(&self, index: u32) -> Vec<&DeviceFold> {
        self.all
            .iter()
            .filter_map(|part| part.devices.get(&index))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use contracts::Finite;

    use super::*;

    /// A device of 100 W whose clock is its second, and 7777 once.
    fn reading(at_s: f64) -> GpuDeviceReading {
        GpuDeviceReading {
            utilization_pct: Some(90),
            energy_j: Finite::new(100.0 * at_s),
            sm_clock_mhz: Some(if at_s == 1234.5 { 7777 } else { at_s as u64 }),
            ..GpuDeviceReading::default()
        }
    }

    #[test]
    fn hours_are_bounded_and_lose_no_extreme() {
        let mut parts = Parts::default();
        // Two hours at ten times a second.
        for tenth in 0..72_000 {
            let at_s = f64::from(tenth) / 10.0;
            parts.add(at_s, &[reading(at_s)]);
        }
        assert!(parts.all.len() <= MOST, "{}", parts.all.len());
        assert_eq!(parts.readings(), 72_000);
        let device = parts.devices()[0].report();
        let clock = device.sm_clock_mhz.unwrap();
        assert_eq!(
            (clock.min.get(), clock.max.get(), clock.readings),
            (0.0, 7777.0, 72_000)
        );
        let energy = device.energy_j.map(Finite::get).unwrap();
        assert!((energy - 719_990.0).abs() < 1e-6, "{energy}");
    }

    #[test]
    fn a_window_has_its_own_readings() {
        let mut parts = Parts::default();
        for tenth in 0..200 {
            let at_s = f64::from(tenth) / 10.0;
            parts.add(at_s, &[reading(at_s)]);
        }
        let run = parts.energy_between(0, 5.25, 7.75).unwrap();
        assert!((run - 250.0).abs() < 1e-9, "{run}");
        assert_eq!(
            parts.energy_between(0, 5.0, 20.0),
            None,
            "it was read until 19.9 s"
        );
        parts.narrow(5.25, 7.75);
        let device = parts.devices()[0].report();
        let clock = device.sm_clock_mhz.unwrap();
        assert_eq!((clock.min.get(), clock.max.get(), clock.readings), (5.0, 7.0, 30));
        assert_eq!(device.energy_j.map(Finite::get), Some(250.0));
        assert_eq!(device.energy_power_w.map(Finite::get), Some(100.0));
    }
    #[test]
    fn a_window_that_begins_and_ends_between_two_parts_has_its_energy() {
        let mut parts = Parts::default();
        for tenth in 0..200 {
            let at_s = f64::from(tenth) / 10.0;
            parts.add(at_s, &[reading(at_s)]);
        }
        parts.narrow(5.95, 7.95);
        let run = parts.energy_between(0, 5.95, 7.95).unwrap();
        assert!((run - 200.0).abs() < 1e-9, "{run}");
        let device = parts.devices()[0].report();
        let clock = device.sm_clock_mhz.unwrap();
        assert_eq!((clock.min.get(), clock.max.get(), clock.readings), (6.0, 7.0, 20));
        assert_eq!(
            (parts.readings(), device.energy_j.map(Finite::get)),
            (20, Some(200.0))
        );
    }
}
