//! WebSocket frames as a server writes them: unmasked, unfragmented, header and payload in one buffer.

/// Longest header of a frame from a server.
const LONGEST_HEADER: usize = 10;
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

/// Writes the header of a whole frame with a payload of `length` bytes; returns how many bytes of `out` it takes.
fn header(text: bool, length: usize, out: &mut [u8; LONGEST_HEADER]) -> usize {
    out[0] = if text { TEXT } else { BINARY };
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..126), _) => {
            out[1] = short;
            2
        }
        (_, Ok(medium)) => {
            out[1] = 126;
            out[2..4].copy_from_slice(&medium.to_be_bytes());
            4
        }
        _ => {
            out[1] = 127;
            out[2..10].copy_from_slice(&(length as u64).to_be_bytes());
            10
        }
    }
}

/// Appends a whole frame.
pub(crate) fn append_frame(out: &mut Vec<u8>, text: bool, payload: &[u8]) {
    let mut head = [0; LONGEST_HEADER];
    let length = header(text, payload.len(), &mut head);
    out.extend_from_slice(&head[..length]);
    out.extend_from_slice(payload);
}

/// Makes a whole text frame of what `write` writes; `scratch` is only memory to write in.
pub(crate) fn text_frame(scratch: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Box<[u8]> {
    // The header's length is known only when the payload is written: it goes right before it.
    scratch.clear();
    scratch.extend_from_slice(&[0; LONGEST_HEADER]);
    write(scratch);
    let mut head = [0; LONGEST_HEADER];
    let length = header(true, scratch.len() - LONGEST_HEADER, &mut head);
    let start = LONGEST_HEADER - length;
    scratch[start..LONGEST_HEADER].copy_from_slice(&head[..length]);
    Box::from(&scratch[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_header() {
        for (length, start) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xff, 0xff]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let payload = vec![b'x'; length];
            let mut appended = Vec::new();
            append_frame(&mut appended, true, &payload);
            assert_eq!(appended[..start.len()], start);
            assert_eq!(appended.len(), start.len() + length);

            let framed = text_frame(&mut Vec::new(), |out| out.extend_from_slice(&payload));
            assert_eq!(*framed, appended);
        }
    }
}
