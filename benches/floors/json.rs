//! JSON as an announcement server sends it: the same keys in each message, and values that differ.

/// A cheap sequence of numbers that looks like chance, and is the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

const WORDS: [&str; 24] = [
    "maintenance",
    "the",
    "platform",
    "departs",
    "from",
    "window",
    "tonight",
    "is",
    "delayed",
    "by",
    "minutes",
    "gate",
    "please",
    "use",
    "other",
    "entrance",
    "service",
    "restored",
    "at",
    "scheduled",
    "for",
    "region",
    "north",
    "update",
];

/// So many different messages of `size` bytes, which differ with the `seed`.
pub(crate) fn messages(seed: u64, count: usize, size: usize) -> Vec<String> {
    let mut numbers = Numbers(seed);
    (0..count).map(|_| message(&mut numbers, size)).collect()
}

fn message(numbers: &mut Numbers, size: usize) -> String {
    let mut text = String::from("[");
    while text.len() < size {
        let (id, room) = (numbers.next(1 << 40), numbers.next(500));
        let (at, priority) = (1_767_225_600 + numbers.next(1 << 24), numbers.next(10));
        text.push_str(&format!(
            r#"{{"id":"{id:012x}","room":"room-{room}","at":{at},"priority":{priority},"text":""#
        ));
        for _ in 0..6 + numbers.next(12) {
            let word = usize::try_from(numbers.next(24)).unwrap_or(0);
            text.push_str(WORDS[word]);
            text.push(' ');
        }
        text.push_str(r#"","read":false},"#);
    }
    // All of it is ASCII, and an end in the middle compresses like any other.
    text.truncate(size);
    text
}
