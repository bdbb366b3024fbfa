//! Frames of the control socket: a JSON head and, behind it, bytes (a message, a file).

use std::io::{self, Read, Write};

/// Largest JSON head.
const HEAD_MAX: u32 = 16 << 20;
/// Largest body: a batch of messages to import.
const BODY_MAX: u32 = 512 << 20;

/// Writes one frame.
///
/// # Errors
/// As the socket.
pub fn write(out: &mut impl Write, head: &impl serde::Serialize, body: &[u8]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    let lengths = [length(head.len(), HEAD_MAX)?, length(body.len(), BODY_MAX)?];
    out.write_all(&lengths[0].to_be_bytes())?;
    out.write_all(&lengths[1].to_be_bytes())?;
    out.write_all(&head)?;
    out.write_all(body)?;
    out.flush()
}

fn length(bytes: usize, max: u32) -> io::Result<u32> {
    u32::try_from(bytes)
        .ok()
        .filter(|length| *length <= max)
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Reads one frame; None at the end of the stream.
///
/// # Errors
/// As the socket, or when the frame is cut or malformed.
pub fn read<T: serde::de::DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut lengths = [0u8; 8];
    let mut have = 0;
    while have < lengths.len() {
        match input.read(&mut lengths[have..])? {
            0 if have == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            some => have += some,
        }
    }
    let head_length = u32::from_be_bytes([lengths[0], lengths[1], lengths[2], lengths[3]]);
    let body_length = u32::from_be_bytes([lengths[4], lengths[5], lengths[6], lengths[7]]);
    if head_length > HEAD_MAX || body_length > BODY_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let head = take(input, head_length)?;
    let body = take(input, body_length)?;
    Ok(Some((serde_json::from_slice(&head)?, body)))
}

fn take(input: &mut impl Read, length: u32) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if input.take(u64::from(length)).read_to_end(&mut bytes)? < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        write(&mut bytes, &"head", b"body\0").unwrap();
        write(&mut bytes, &7u32, b"").unwrap();
        let mut input = bytes.as_slice();
        assert_eq!(read::<String>(&mut input).unwrap(), Some(("head".to_owned(), b"body\0".to_vec())));
        assert_eq!(read::<u32>(&mut input).unwrap(), Some((7, Vec::new())));
        assert_eq!(read::<u32>(&mut input).unwrap(), None);
        assert!(read::<String>(&mut &bytes[..bytes.len() / 2]).is_err());
    }
}
