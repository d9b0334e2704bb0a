//! Files: which ones are read or written, and how much of them.

use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// Reads a file that is looked at again and again. What is no regular file is refused: opening a FIFO waits for its writer, and
/// what was read from one is gone.
pub(crate) fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    regular(path)?;
    at_most(File::open(path)?, most)
}

/// Reads to the end, which has to come: a device may have none.
pub(crate) fn at_most(reader: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let message = format!("it has more than {most} bytes, which is the most that is read");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// What the system says of a regular file, behind symlinks; an error for everything else.
pub(crate) fn regular(path: &Path) -> io::Result<Metadata> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() {
        return Ok(metadata);
    }
    let what = kind(metadata.file_type());
    Err(io::Error::other(format!(
        "it is {what}, and only a regular file will do"
    )))
}

fn kind(file: FileType) -> &'static str {
    if file.is_fifo() {
        "a FIFO"
    } else if file.is_socket() {
        "a socket"
    } else if file.is_dir() {
        "a folder"
    } else {
        "a device"
    }
}

/// Text in UTF-8.
pub(crate) fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let message = format!("it is not UTF-8 text: {}", error.utf8_error());
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}
