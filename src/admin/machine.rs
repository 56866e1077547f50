//! What the machine tells of itself under `/sys`: heat, power and the wear of its card. Most boards tell only some of it.

use std::fs;
use std::path::Path;

/// Where Linux tells it.
const SYS: &str = "/sys";
/// From so many degrees on a Raspberry Pi slows down (*documented*).
const HOT: i16 = 80;
/// From so many tenths of its life on a card should be replaced.
const WORN: u8 = 8;

/// What could be learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Temperature of the processor, in degrees Celsius.
    pub temperature: Option<i16>,
    /// Whether the voltage is too low now, as the Raspberry Pi's firmware sees it.
    pub low_voltage: Option<bool>,
    /// How much of the life of the memory card is used, in tenths; 11 is more than all. Only eMMC tells, no SD card.
    pub card_life: Option<u8>,
}

impl Machine {
    /// This one, now.
    pub fn here() -> Self {
        Self::read(Path::new(SYS))
    }

    /// Reads it, below `sys`.
    fn read(sys: &Path) -> Self {
        Self { temperature: temperature(sys), low_voltage: low_voltage(sys), card_life: card_life(sys) }
    }

    /// What is wrong and what to do: one sentence for each, without a full stop.
    pub fn warnings(self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(degrees) = self.temperature.filter(|degrees| *degrees >= HOT) {
            warnings.push(format!(
                "the processor has {degrees} degrees Celsius and slows down: give the box air, or a heat sink"
            ));
        }
        if self.low_voltage == Some(true) {
            warnings.push(
                "the voltage is too low, which damages cards: use the power supply made for this board, and a short cable"
                    .to_owned(),
            );
        }
        if let Some(tenths) = self.card_life.filter(|tenths| *tenths >= WORN) {
            let used = if tenths > 10 { "all".to_owned() } else { format!("{} %", u16::from(tenths) * 10) };
            warnings.push(format!(
                "{used} of the life of the memory card is used: download a backup now, and replace the card soon"
            ));
        }
        warnings
    }
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// Thousandths of a degree in the first zone.
fn temperature(sys: &Path) -> Option<i16> {
    let thousandths: i32 = text(&sys.join("class/thermal/thermal_zone0/temp"))?.parse().ok()?;
    i16::try_from(thousandths / 1000).ok()
}

/// The alarm of the kernel's driver `raspberrypi-hwmon`, whose sensor is called "`rpi_volt`".
fn low_voltage(sys: &Path) -> Option<bool> {
    let sensors = fs::read_dir(sys.join("class/hwmon")).ok()?;
    let sensor =
        sensors.flatten().find(|sensor| text(&sensor.path().join("name")).as_deref() == Some("rpi_volt"))?;
    Some(text(&sensor.path().join("in0_lcrit_alarm"))? == "1")
}

/// Two estimates in hexadecimal, for the two kinds of memory of an eMMC; the worse of them. 0 means that it is not told.
fn card_life(sys: &Path) -> Option<u8> {
    let estimates = text(&sys.join("block/mmcblk0/device/life_time"))?;
    let tenths = estimates.split_whitespace().filter_map(|estimate| {
        u8::from_str_radix(estimate.trim_start_matches("0x"), 16).ok().filter(|tenths| *tenths > 0)
    });
    tenths.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hot_starved_worn_out_board_says_so() {
        let sys = tempfile::tempdir().unwrap();
        assert_eq!(Machine::read(sys.path()), Machine::default());
        assert!(Machine::default().warnings().is_empty());
        for (path, content) in [
            ("class/thermal/thermal_zone0/temp", "81234\n"),
            ("class/hwmon/hwmon0/name", "cpu_thermal\n"),
            ("class/hwmon/hwmon1/name", "rpi_volt\n"),
            ("class/hwmon/hwmon1/in0_lcrit_alarm", "1\n"),
            ("block/mmcblk0/device/life_time", "0x01 0x09\n"),
        ] {
            let path = sys.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let machine = Machine::read(sys.path());
        assert_eq!(machine, Machine { temperature: Some(81), low_voltage: Some(true), card_life: Some(9) });
        let warnings = machine.warnings();
        for (warning, told) in warnings.iter().zip(["81 degrees", "power supply", "90 % of the life"]) {
            assert!(warning.contains(told), "{warning}");
        }
        assert_eq!(warnings.len(), 3);
        fs::write(sys.path().join("class/thermal/thermal_zone0/temp"), "nonsense").unwrap();
        fs::write(sys.path().join("block/mmcblk0/device/life_time"), "0x00 0x00").unwrap();
        let machine = Machine::read(sys.path());
        assert_eq!((machine.temperature, machine.card_life), (None, None));
    }
}
