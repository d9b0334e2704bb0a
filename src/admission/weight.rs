//! What a request may cost.

/// The longest uid that is repeated in an answer, in bytes; the API server's have 36.
pub const MAX_UID: usize = 128;

/// The most memory that the views of the objects in one request may take, in bytes. An object of 1.5 MiB, the largest that etcd stores,
/// takes less even if it contains nothing but short variables.
pub const MAX_VIEWS: usize = 8 << 20;

/// The largest body of a small request, in bytes.
const SMALL_BODY: usize = 64 * 1024;

/// The most commas of a small request. Every item of a list but its first, and every key of an object but its first, has a comma.
const SMALL_PARTS: usize = 1_000;

/// Whether the decision for a request takes more than the usual time and memory. Small requests are decided at once, large ones in turn.
#[must_use]
pub fn is_large(body: &[u8]) -> bool {
    body.len() > SMALL_BODY || memchr::memchr_iter(b',', body).count() > SMALL_PARTS
}
