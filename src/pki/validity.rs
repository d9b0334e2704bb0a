//! Whether a certificate is valid at a time.

use time::{Duration, OffsetDateTime};

use super::read::Certificate;

/// Whether a certificate is valid at a time, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Its validity begins after this time; a clock may be wrong.
    NotYet(Duration),
    /// It is valid for this time.
    Valid(Duration),
    /// It expired this time ago.
    Expired(Duration),
}

impl Validity {
    /// Whether it is valid.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Valid(_))
    }
}

impl Certificate {
    /// Whether the certificate is valid at a time: from `not_before` to `not_after`, both included (RFC 5280 §4.1.2.5).
    #[must_use]
    pub fn validity(&self, now: OffsetDateTime) -> Validity {
        if now < self.not_before {
            Validity::NotYet(self.not_before - now)
        } else if now <= self.not_after {
            Validity::Valid(self.not_after - now)
        } else {
            Validity::Expired(now - self.not_after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::{Authority, read_certificates};

    #[test]
    fn the_first_and_the_last_second_belong_to_it() {
        let now = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let authority = Authority::new(None, now, Duration::DAY).unwrap();
        let certificates = read_certificates(authority.certificate().as_bytes()).unwrap();
        let second = Duration::SECOND;
        let begin = now - Duration::HOUR;
        let end = now + Duration::DAY;
        for (at, validity) in [
            (begin - second, Validity::NotYet(second)),
            (begin, Validity::Valid(Duration::DAY + Duration::HOUR)),
            (now, Validity::Valid(Duration::DAY)),
            (end, Validity::Valid(Duration::ZERO)),
            (end + second / 2, Validity::Expired(second / 2)),
            (end + second, Validity::Expired(second)),
        ] {
            assert_eq!(certificates[0].validity(at), validity);
            assert_eq!(validity.is_valid(), at >= begin && at <= end);
        }
    }
}
