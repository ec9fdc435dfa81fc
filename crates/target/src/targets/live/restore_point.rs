//! A restore point by Windows' own call, believed only when Windows' own list shows it afterwards.
//!
//! How often Windows makes one (`SystemRestorePointCreationFrequency`) and whether it makes any is never changed here. Source: Microsoft's
//! "Using System Restore" and "SRSetRestorePoint", which say that the library must be loaded at run time (servers have none), that COM
//! security must admit the services that call back, and that a call within 24 hours of the last point makes none and succeeds.

use model::RestorePoint;
use windows::Win32::Foundation::{HLOCAL, LocalFree, RPC_E_TOO_LATE};
use windows::Win32::Security::Authorization::{ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1};
use windows::Win32::Security::{ACL, MakeAbsoluteSD, PSECURITY_DESCRIPTOR, PSID};
use windows::Win32::System::Com::{
    CLSCTX_INPROC_SERVER, COINIT_MULTITHREADED, CoCreateInstance, CoInitializeEx, CoInitializeSecurity, CoSetProxyBlanket, EOAC_DISABLE_AAA,
    EOAC_NONE, RPC_C_AUTHN_LEVEL_CALL, RPC_C_AUTHN_LEVEL_PKT_PRIVACY, RPC_C_IMP_LEVEL_IDENTIFY, RPC_C_IMP_LEVEL_IMPERSONATE,
};
use windows::Win32::System::Restore::{
    BEGIN_SYSTEM_CHANGE, END_SYSTEM_CHANGE, MODIFY_SETTINGS, RESTOREPOINTINFO_EVENT_TYPE, RESTOREPOINTINFOW, STATEMGRSTATUS,
};
use windows::Win32::System::Variant::{VARIANT, VT_BSTR, VT_I4};
use windows::Win32::System::Wmi::{IWbemClassObject, IWbemLocator, IWbemServices, WBEM_FLAG_FORWARD_ONLY, WBEM_FLAG_RETURN_IMMEDIATELY, WbemLocator};
use windows::core::{BOOL, BSTR, PCWSTR, s, w};

/// `RPC_C_AUTHN_WINNT`
const AUTHENTICATION: u32 = 10;
/// How long one answer of the list may take, in milliseconds.
const PATIENCE: i32 = 30_000;
/// The right to call, near by, for the system, administrators, the two service accounts and this program itself.
const WHO_CALLS_BACK: PCWSTR = w!("O:BAG:BAD:(A;;0x3;;;SY)(A;;0x3;;;BA)(A;;0x3;;;LS)(A;;0x3;;;NS)(A;;0x3;;;PS)");

type SetRestorePoint = unsafe extern "system" fn(*const RESTOREPOINTINFOW, *mut STATEMGRSTATUS) -> BOOL;

/// Makes one and looks whether it is there.
pub(super) fn make(description: &str) -> RestorePoint {
    // SAFETY: this thread uses COM from now on; that it was prepared before is fine.
    let _ = unsafe { CoInitializeEx(None, COINIT_MULTITHREADED) };
    made(description).unwrap_or_else(|why| RestorePoint::Missing { why })
}

fn made(description: &str) -> Result<RestorePoint, String> {
    admit_services()?;
    let before = list().map_err(|error| format!("the list of restore points cannot be read ({error}), as on servers, which have none"))?;
    set(description)?;
    let after = list().map_err(|error| format!("whether it was made cannot be seen ({error})"))?;
    let newest = after.iter().max_by_key(|(number, _)| *number);
    match newest {
        Some((number, _)) if !before.iter().any(|(there, _)| there == number) => Ok(RestorePoint::Made { number: *number }),
        Some((number, made)) => Ok(RestorePoint::Recent { number: *number, made: made.clone() }),
        None => Err("Windows said that it was made, and its list is empty".into()),
    }
}

/// COM security once for this program. An absolute descriptor: the self-relative one that the text becomes is not accepted.
fn admit_services() -> Result<(), String> {
    let failed = |error: windows::core::Error| format!("Windows could not be asked ({error})");
    let mut relative = PSECURITY_DESCRIPTOR::default();
    // SAFETY: the text is terminated; Windows allocates the descriptor, which is freed below.
    unsafe { ConvertStringSecurityDescriptorToSecurityDescriptorW(WHO_CALLS_BACK, SDDL_REVISION_1, &raw mut relative, None) }.map_err(failed)?;
    // Aligned for pointers, and larger than five entries and two names need. They live as long as the call that copies them.
    let (mut descriptor, mut list, mut owner, mut group) = ([0_u64; 16], [0_u64; 64], [0_u64; 16], [0_u64; 16]);
    let size = |words: &[u64]| u32::try_from(size_of_val(words)).unwrap_or_default();
    let (mut sizes, mut none) = ([size(&descriptor), size(&list), size(&owner), size(&group)], 0);
    let [descriptor_size, list_size, owner_size, group_size] = &mut sizes;
    let absolute = PSECURITY_DESCRIPTOR(descriptor.as_mut_ptr().cast());
    // SAFETY: each buffer has the size that is given beside it.
    let done = unsafe {
        MakeAbsoluteSD(
            relative,
            Some(absolute),
            descriptor_size,
            Some(list.as_mut_ptr().cast::<ACL>()),
            list_size,
            None,
            &raw mut none,
            Some(PSID(owner.as_mut_ptr().cast())),
            owner_size,
            Some(PSID(group.as_mut_ptr().cast())),
            group_size,
        )
    };
    // SAFETY: allocated by the conversion above, and not used any more.
    unsafe { LocalFree(Some(HLOCAL(relative.0))) };
    done.map_err(failed)?;
    // SAFETY: the descriptor and what it points to are alive; everything else is left to Windows.
    let set = unsafe {
        CoInitializeSecurity(Some(absolute), -1, None, None, RPC_C_AUTHN_LEVEL_PKT_PRIVACY, RPC_C_IMP_LEVEL_IDENTIFY, None, EOAC_DISABLE_AAA, None)
    };
    match set {
        Err(error) if error.code() != RPC_E_TOO_LATE => Err(failed(error)),
        _ => Ok(()),
    }
}

/// Calls Windows. A success is only its word for it.
fn set(description: &str) -> Result<(), String> {
    let function = super::library::function("srclient.dll", s!("SRSetRestorePointW"));
    let function = function.ok_or("this Windows has no System Restore (srclient.dll with SRSetRestorePointW is not there)")?;
    // SAFETY: this is the documented form of that function.
    let function: SetRestorePoint = unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, SetRestorePoint>(function) };
    let number = call(function, BEGIN_SYSTEM_CHANGE, 0, description)?;
    // What follows may last hours; the point is for the state now.
    call(function, END_SYSTEM_CHANGE, number, description).map(|_| ())
}

fn call(function: SetRestorePoint, event: RESTOREPOINTINFO_EVENT_TYPE, number: i64, description: &str) -> Result<i64, String> {
    let mut text = [0_u16; 256];
    // The last unit stays zero.
    for (place, unit) in text.iter_mut().take(255).zip(description.encode_utf16()) {
        *place = unit;
    }
    let wanted = RESTOREPOINTINFOW { dwEventType: event, dwRestorePtType: MODIFY_SETTINGS, llSequenceNumber: number, szDescription: text };
    let mut status = STATEMGRSTATUS::default();
    // SAFETY: both structures are alive, and of the layout that the function documents.
    let done = unsafe { function(&raw const wanted, &raw mut status) };
    let (code, number) = (status.nStatus.0, status.llSequenceNumber);
    match code {
        _ if done.as_bool() => Ok(number),
        0 => Err("Windows made none and gave no reason".into()),
        // ERROR_SERVICE_DISABLED
        1058 => Err("System Restore is switched off (error 1058)".into()),
        _ => Err(format!("Windows made none (error {code})")),
    }
}

/// Every restore point: its number, and when it was made.
fn list() -> windows::core::Result<Vec<(u32, String)>> {
    // SAFETY: COM is ready on this thread; strings and interfaces live as long as they are used.
    let services: IWbemServices = unsafe {
        let locator: IWbemLocator = CoCreateInstance(&WbemLocator, None, CLSCTX_INPROC_SERVER)?;
        let none = BSTR::new();
        let services = locator.ConnectServer(&BSTR::from("ROOT\\DEFAULT"), &none, &none, &none, 0, &none, None)?;
        CoSetProxyBlanket(&services, AUTHENTICATION, 0, PCWSTR::null(), RPC_C_AUTHN_LEVEL_CALL, RPC_C_IMP_LEVEL_IMPERSONATE, None, EOAC_NONE)?;
        services
    };
    let query = BSTR::from("SELECT SequenceNumber, CreationTime FROM SystemRestore");
    // SAFETY: as above.
    let answers = unsafe { services.ExecQuery(&BSTR::from("WQL"), &query, WBEM_FLAG_FORWARD_ONLY | WBEM_FLAG_RETURN_IMMEDIATELY, None)? };
    let mut points = Vec::new();
    loop {
        let (mut one, mut count) = ([None::<IWbemClassObject>], 0);
        // SAFETY: room for one object, and for their count.
        unsafe { answers.Next(PATIENCE, &mut one, &raw mut count) }.ok()?;
        let [Some(point)] = one else { return Ok(points) };
        if let Some(number) = number(&point) {
            points.push((number, made_at(&point).unwrap_or_default()));
        }
    }
}

fn property(point: &IWbemClassObject, name: PCWSTR) -> Option<VARIANT> {
    let mut value = VARIANT::default();
    // SAFETY: the name is terminated, and the variant is an empty one.
    unsafe { point.Get(name, 0, &raw mut value, None, None) }.ok().map(|()| value)
}

fn number(point: &IWbemClassObject) -> Option<u32> {
    let value = property(point, w!("SequenceNumber"))?;
    // SAFETY: every variant says its type; the field of that type is read.
    unsafe { (value.Anonymous.Anonymous.vt == VT_I4).then(|| value.Anonymous.Anonymous.Anonymous.lVal.cast_unsigned()) }
}

fn made_at(point: &IWbemClassObject) -> Option<String> {
    let value = property(point, w!("CreationTime"))?;
    // SAFETY: as above.
    unsafe { (value.Anonymous.Anonymous.vt == VT_BSTR).then(|| value.Anonymous.Anonymous.Anonymous.bstrVal.to_string()) }
}
