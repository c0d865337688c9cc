//! Ways to cut bytes, as a transport might.

use proptest::prelude::*;

/// Where a stream of bytes is cut.
#[derive(Clone, Debug)]
pub(crate) enum Cut {
    /// Nowhere.
    Whole,
    /// After every byte.
    EachByte,
    /// Into pieces of these lengths, over and over; zeros count as one.
    Lengths(Vec<usize>),
    /// In two, after so many bytes.
    At(usize),
}

impl Cut {
    /// The pieces of `bytes`, in order and none empty.
    pub(crate) fn pieces<'b>(&self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        match self {
            Self::Whole => bytes.chunks(bytes.len().max(1)).collect(),
            Self::EachByte => bytes.chunks(1).collect(),
            Self::At(at) => {
                let (front, back) = bytes.split_at((*at).min(bytes.len()));
                [front, back]
                    .into_iter()
                    .filter(|it| !it.is_empty())
                    .collect()
            }
            Self::Lengths(lengths) => {
                let (mut pieces, mut rest) = (Vec::new(), bytes);
                for length in lengths.iter().cycle() {
                    if rest.is_empty() {
                        break;
                    }
                    let (piece, behind) = rest.split_at((*length).clamp(1, rest.len()));
                    pieces.push(piece);
                    rest = behind;
                }
                pieces
            }
        }
    }

    /// Whole, byte by byte, and in two at each place: all there is for a few bytes.
    pub(crate) fn all_for(bytes: &[u8]) -> Vec<Self> {
        let in_two = (1..bytes.len()).map(Self::At);
        [Self::Whole, Self::EachByte]
            .into_iter()
            .chain(in_two)
            .collect()
    }
}

/// Any cut, small pieces more often than large ones.
pub(crate) fn cuts() -> impl Strategy<Value = Cut> {
    let length = prop_oneof![4 => 1_usize..4, 2 => 1_usize..16, 1 => 1_usize..200];
    proptest::collection::vec(length, 1..8).prop_map(Cut::Lengths)
}
