//! Hexadecimal text as the bytes that it means, in bounded memory.
//!
//! Input: text in pieces of any size; white space is passed over wherever it stands. Output: bytes. Anything else, and
//! half a byte at the end, is an error of the kind `InvalidData` that says where.

use std::io::{self, Read};

/// Hexadecimal text as the bytes that it means.
pub(crate) struct HexText<R> {
    inner: R,
    half: Option<u8>,
    read: u64,
}

impl<R: Read> HexText<R> {
    /// Reads the digits of `inner`.
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            half: None,
            read: 0,
        }
    }
}

impl<R: Read> Read for HexText<R> {
    /// Gives 0 at the end only; half a byte at the end is an error, as is any other character.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut text = vec![0; buffer.len()];
        loop {
            let count = self.inner.read(&mut text)?;
            if count == 0 {
                return match self.half {
                    None => Ok(0),
                    Some(_) => Err(invalid("the last byte has one digit only".to_owned())),
                };
            }
            let mut written = 0;
            let mut room = buffer.iter_mut();
            for byte in text.iter().take(count) {
                self.read += 1;
                if byte.is_ascii_whitespace() {
                    continue;
                }
                let digit = char::from(*byte)
                    .to_digit(16)
                    .and_then(|digit| u8::try_from(digit).ok());
                let Some(digit) = digit else {
                    return Err(invalid(format!(
                        "character {} is no hexadecimal digit; leave --hex out for raw bytes",
                        self.read
                    )));
                };
                match self.half.take() {
                    None => self.half = Some(digit),
                    Some(high) => {
                        if let Some(place) = room.next() {
                            *place = high << 4 | digit;
                            written += 1;
                        }
                    }
                }
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        HexText::new(text.as_bytes()).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn hexadecimal_text_may_be_broken_anywhere() {
        assert_eq!(hex("7e A0\n2\na").unwrap(), [0x7E, 0xA0, 0x2A]);
        assert!(hex("").unwrap().is_empty());
        assert!(hex("7ea").unwrap_err().to_string().contains("one digit"));
        assert!(
            hex("7e:a0")
                .unwrap_err()
                .to_string()
                .contains("character 3")
        );
    }
}
