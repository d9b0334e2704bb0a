use std::path::Path;
use std::process::ExitCode;

use crate::rig::parts::Parts;

pub(crate) fn show(_: Result<Parts, String>, _: &Path, _: Option<&str>) -> ExitCode {
    ExitCode::FAILURE
}
