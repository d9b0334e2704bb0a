//! The few frames of HTTP/2 that a bad client needs (RFC 9113). A client of a library does not send bad frames.

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The preface of a client, with its window: how many bytes of each answer it takes at first.
pub(crate) fn hello(window: u32) -> Vec<u8> {
    let window = [&[0, 4][..], &window.to_be_bytes()].concat();
    let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    hello.extend(frame(SETTINGS, 0, 0, &window));
    hello
}

/// The header of a review in HPACK, without a dynamic table.
pub(crate) fn header() -> Vec<u8> {
    // By the numbers of the static table: POST, https, then path, authority and content type.
    let mut block = vec![0x83, 0x87];
    for (index, value) in [
        (&[0x04][..], "/mutate"),
        (&[0x01], "localhost"),
        (&[0x0f, 0x10], "application/json"),
    ] {
        block.extend(index);
        block.push(u8::try_from(value.len()).unwrap());
        block.extend(value.as_bytes());
    }
    block
}

/// A review on a new stream, whose number is odd.
pub(crate) fn review(stream: u32, body: &[u8]) -> Vec<u8> {
    let mut frames = frame(HEADERS, END_HEADERS, stream, &header());
    let mut pieces = body.chunks(16 * 1024).peekable();
    while let Some(piece) = pieces.next() {
        let end = if pieces.peek().is_none() {
            END_STREAM
        } else {
            0
        };
        frames.extend(frame(DATA, end, stream, piece));
    }
    frames
}
