//! Reading files with a limit on their size.

use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// Reads a file that is read again and again. Only regular files: opening a FIFO waits for a writer, and its content can be read only once.
pub(crate) fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    regular(path)?;
    at_most(File::open(path)?, most)
}

/// Reads to the end. More than `most` bytes are an error, so that an endless device cannot fill the memory.
pub(crate) fn at_most(reader: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let message = format!("it has more than {most} bytes, which is the limit");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The metadata of a regular file. Follows symlinks.
pub(crate) fn regular(path: &Path) -> io::Result<Metadata> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() {
        return Ok(metadata);
    }
    let kind = kind(metadata.file_type());
    Err(io::Error::other(format!(
        "it is {kind}, not a regular file"
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
