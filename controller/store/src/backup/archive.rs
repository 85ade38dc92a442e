//! The container of a backup: a plain tar archive (POSIX.1-1988 ustar), so that any `tar` can look into it.
//!
//! Only what a backup needs: regular files with short names. Whatever else stands in an archive is not one of ours.

use std::io::{self, Read, Write};

/// tar counts in blocks.
const BLOCK: u64 = 512;
/// Where the checksum stands in a header, and how long it is.
const CHECKSUM: std::ops::Range<usize> = 148..156;
/// Longest name, in bytes, and so the largest size that eleven octal digits hold.
const NAME_MAX: usize = 100;
const SIZE_MAX: u64 = 0o777_7777_7777;

/// A header: name, size and time of a file.
pub(super) fn header(name: &str, size: u64, mtime_s: i64) -> io::Result<Vec<u8>> {
    if name.len() > NAME_MAX || size > SIZE_MAX {
        return Err(io::Error::other("the file is too large for a backup"));
    }
    let mut before = Vec::new();
    before.extend_from_slice(name.as_bytes());
    before.resize(NAME_MAX, 0);
    before.extend_from_slice(b"0000600\x000000000\x000000000\x00");
    write!(before, "{size:011o}\0{:011o}\0", mtime_s.max(0))?;
    let mut behind = vec![b'0'];
    behind.resize(1 + NAME_MAX, 0);
    behind.extend_from_slice(b"ustar\x0000");
    behind.resize(512 - CHECKSUM.end, 0);
    let sum = sum(&before) + sum(&behind) + 8 * u64::from(b' ');
    let mut block = before;
    write!(block, "{sum:06o}\0 ")?;
    block.append(&mut behind);
    Ok(block)
}

/// What fills the last block of a file.
pub(super) fn padding(size: u64) -> &'static [u8] {
    const ZEROS: [u8; 512] = [0; 512];
    let over = usize::try_from(size % BLOCK).unwrap_or(0);
    if over == 0 {
        &[]
    } else {
        ZEROS.get(over..).unwrap_or(&ZEROS)
    }
}

/// The end of an archive.
pub(super) const END: [u8; 1024] = [0; 1024];

/// The name and size of the next file; `None` at the end of the archive.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn next(input: &mut impl Read) -> Result<Option<(String, u64)>, String> {
    let mut block = [0; 512];
    input.read_exact(&mut block).map_err(|error| cut(&error))?;
    if block.iter().all(|byte| *byte == 0) {
        // The end has a second such block.
        input.read_exact(&mut block).map_err(|error| cut(&error))?;
        return Ok(None);
    }
    let field = |range| block.get(range).unwrap_or_default();
    let spaces = 8 * u64::from(b' ');
    let found = sum(field(0..CHECKSUM.start)) + sum(field(CHECKSUM.end..512)) + spaces;
    if octal(field(CHECKSUM)) != Some(found) || field(257..262) != b"ustar" {
        return Err("it is no tar archive".to_owned());
    }
    let size = octal(field(124..136)).ok_or("a size is no number")?;
    if field(156..157) != b"0" || size > SIZE_MAX {
        return Err("it holds what no backup has".to_owned());
    }
    let name = field(0..NAME_MAX).split(|byte| *byte == 0).next();
    let name = std::str::from_utf8(name.unwrap_or_default()).map_err(|_| "a name is no text")?;
    Ok(Some((name.to_owned(), size)))
}

/// Reads what fills the last block of a file.
pub(super) fn skip_padding(input: &mut impl Read, size: u64) -> Result<(), String> {
    let mut rest = vec![0; padding(size).len()];
    input.read_exact(&mut rest).map_err(|error| cut(&error))
}

/// Why no more could be read.
fn cut(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        "it is shorter than it must be: it was cut off, or is something else".to_owned()
    } else {
        format!("it cannot be read to its end: {error}")
    }
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte)).sum()
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, content) in files {
            let size = content.len() as u64;
            bytes.extend(header(name, size, 1_700_000_000).unwrap());
            bytes.extend_from_slice(content);
            bytes.extend_from_slice(padding(size));
        }
        bytes.extend_from_slice(&END);
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 511, 512, 513] {
            let content = vec![7; length];
            let bytes = archive(&[("state.db", &content), ("journal.db", b"abc")]);
            assert_eq!(bytes.len() % 512, 0);
            let mut input = bytes.as_slice();
            let (name, size) = next(&mut input).unwrap().unwrap();
            assert_eq!((name.as_str(), size), ("state.db", length as u64));
            let mut read = vec![0; length];
            input.read_exact(&mut read).unwrap();
            assert_eq!(read, content);
            skip_padding(&mut input, size).unwrap();
            assert_eq!(next(&mut input).unwrap().unwrap().0, "journal.db");
            let mut read = [0; 3];
            input.read_exact(&mut read).unwrap();
            skip_padding(&mut input, 3).unwrap();
            assert_eq!(next(&mut input).unwrap(), None);
        }
    }

    #[test]
    fn what_is_no_archive_is_told() {
        let good = archive(&[("state.db", b"abc")]);
        for at in [0, 130, 150, 156, 258] {
            let mut bad = good.clone();
            bad[at] ^= 0x01;
            assert!(next(&mut bad.as_slice()).is_err(), "byte {at}");
        }
        for length in [0, 1, 511] {
            assert!(next(&mut &good[..length]).is_err(), "{length} bytes");
        }
        assert!(next(&mut [b'x'; 1024].as_slice()).is_err());
        assert!(header(&"x".repeat(101), 1, 0).is_err());
        assert!(header("x", SIZE_MAX + 1, 0).is_err());
    }
}
