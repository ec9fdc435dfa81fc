//! Whether there is enough power for work that must not be cut off.

use model::WhyNot;
use windows::Win32::System::Power::{GetSystemPowerStatus, SYSTEM_POWER_STATUS};

/// Below this charge, and not plugged in, nothing is begun that takes long.
const ENOUGH: u8 = 20;
/// `AC_LINE_OFFLINE`
const ON_BATTERY: u8 = 0;

/// The reason against long work now. Where Windows does not know (no battery, a virtual machine), there is none.
pub(super) fn why_not() -> Option<WhyNot> {
    let mut status = SYSTEM_POWER_STATUS::default();
    // SAFETY: the structure is alive and filled in by Windows.
    unsafe { GetSystemPowerStatus(&raw mut status) }.ok()?;
    // A charge that is not known is 255.
    (status.ACLineStatus == ON_BATTERY && status.BatteryLifePercent < ENOUGH).then_some(WhyNot::BatteryLow { percent: status.BatteryLifePercent })
}
