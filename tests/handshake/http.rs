//! HTTP heads, read by hand.

/// A head of a request or an answer, and what stands behind it.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) first_line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Head {
    /// Reads a head that must be well formed to the byte.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("the end of a head");
        let head = str::from_utf8(&bytes[..end]).expect("a head in ASCII");
        let mut lines = head.split("\r\n");
        let first_line = lines.next().expect("a first line").to_owned();
        let headers = lines.map(header_line).collect();
        Self {
            first_line,
            headers,
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(crate) fn status(&self) -> u16 {
        let mut words = self.first_line.splitn(3, ' ');
        assert_eq!(words.next(), Some("HTTP/1.1"), "{}", self.first_line);
        let status = words.next().expect("a status");
        assert!(!words.next().expect("a reason").is_empty());
        status.parse().expect("three digits")
    }

    /// The value of a header that may stand there once.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values = self.all(name);
        assert!(
            values.len() <= 1,
            "{name} stands there {} times",
            values.len()
        );
        values.into_iter().next()
    }

    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let named =
            |(it, value): &(String, String)| it.eq_ignore_ascii_case(name).then(|| value.clone());
        self.headers.iter().filter_map(named).collect()
    }
}

fn header_line(line: &str) -> (String, String) {
    let (name, value) = line.split_once(": ").expect("a colon and a space");
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_value = value.bytes().all(|b| (0x20..0x7f).contains(&b));
    assert!(is_name && is_value && !name.is_empty(), "{line:?}");
    (name.to_owned(), value.to_owned())
}
