//! The life of an open connection.
//!
//! ```text
//!           Close sent                 Close received
//!  Open ------------------> Closing ------------------> Ending ----+
//!   |  \      Close received (ours follows)               ^        |
//!   |   +-------------------------------------------------+        | end of TCP,
//!   |    \  violation       Closing --- violation ---+             | or given up
//!   |     +------------------------------------------+--> Failing -+
//!   |                                                              v
//!   +------------- end of TCP, or given up --------------------> Closed
//! ```
//!
//! `Ending` means that a Close frame stands on both sides, ours perhaps still in the outbox.
//! From `Ending` and `Failing` on nothing that arrives is read (RFC 6455 §1.4, §7.1.7).

/// Where an open connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Data passes both ways.
    Open,
    /// Our Close frame is queued or sent; the peer's is awaited.
    Closing,
    /// Both Close frames are known; TCP is to end.
    Ending,
    /// The peer broke the protocol; our Close frame goes out and TCP is to end.
    Failing,
    /// Nothing passes any more.
    Closed,
}

/// What moves a connection from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// The application asks for the closing handshake.
    CloseSent,
    /// The peer's Close frame arrived.
    CloseReceived,
    /// The peer broke the protocol.
    Violation,
    /// The peer's end of TCP, or an error of the transport.
    EndOfStream,
    /// A deadline passed, or the application ends it without a handshake.
    GivenUp,
}

impl State {
    /// All states, for whoever walks the table.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 5] = [
        Self::Open,
        Self::Closing,
        Self::Ending,
        Self::Failing,
        Self::Closed,
    ];

    /// The state that follows.
    pub(crate) const fn next(self, step: Step) -> Self {
        match (self, step) {
            (_, Step::EndOfStream | Step::GivenUp) => Self::Closed,
            (Self::Open, Step::CloseSent) => Self::Closing,
            (Self::Open | Self::Closing, Step::CloseReceived) => Self::Ending,
            (Self::Open | Self::Closing, Step::Violation) => Self::Failing,
            (Self::Closing, Step::CloseSent) => Self::Closing,
            (Self::Ending, Step::CloseSent | Step::CloseReceived | Step::Violation) => Self::Ending,
            (Self::Failing, Step::CloseSent | Step::CloseReceived | Step::Violation) => {
                Self::Failing
            }
            (Self::Closed, Step::CloseSent | Step::CloseReceived | Step::Violation) => Self::Closed,
        }
    }

    /// Whether messages may still be sent.
    pub(crate) const fn may_send(self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether what arrives is still read.
    pub(crate) const fn reads(self) -> bool {
        matches!(self, Self::Open | Self::Closing)
    }

    /// Whether TCP ends as soon as the outbox is empty.
    pub(crate) const fn ends_when_sent(self) -> bool {
        matches!(self, Self::Ending | Self::Failing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Step; 5] = [
        Step::CloseSent,
        Step::CloseReceived,
        Step::Violation,
        Step::EndOfStream,
        Step::GivenUp,
    ];

    #[test]
    fn no_step_leads_back() {
        for state in State::ALL {
            for step in STEPS {
                let rank = |it| State::ALL.iter().position(|other| *other == it);
                assert!(
                    rank(state.next(step)) >= rank(state),
                    "{state:?} on {step:?}"
                );
            }
        }
    }

    //= WS-133 type=test
    #[test]
    fn every_pair_of_state_and_step_is_as_drawn() {
        use State::{Closed, Closing, Ending, Failing, Open};
        let expected = [
            (Open, [Closing, Ending, Failing, Closed, Closed]),
            (Closing, [Closing, Ending, Failing, Closed, Closed]),
            (Ending, [Ending, Ending, Ending, Closed, Closed]),
            (Failing, [Failing, Failing, Failing, Closed, Closed]),
            (Closed, [Closed; 5]),
        ];
        for (state, row) in expected {
            assert_eq!(STEPS.map(|step| state.next(step)), row, "from {state:?}");
        }
    }

    #[test]
    fn only_an_open_connection_sends_and_a_failed_one_reads_nothing() {
        assert_eq!(
            State::ALL.map(State::may_send),
            [true, false, false, false, false]
        );
        assert_eq!(
            State::ALL.map(State::reads),
            [true, true, false, false, false]
        );
    }
}
