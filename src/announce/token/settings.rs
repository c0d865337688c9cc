//! What is asked of a token beyond a good signature, and where its claims stand.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::announce::token::algorithm::Algorithm;

/// How far the clock of the issuer and ours may be apart, where nothing else is set.
pub const SKEW: Duration = Duration::from_secs(30);

/// The most skew that can be set.
pub const SKEW_MAX: Duration = Duration::from_secs(300);

/// How far ahead `exp` may lie: ten years. What lies further ahead was meant in milliseconds.
pub const LIFETIME_MAX: Duration = Duration::from_secs(10 * 366 * 86_400);

/// The most names that one list of the settings may hold.
const NAMES_MAX: usize = 32;

/// What is asked of a token, and which claims say what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The algorithms that are taken; never empty. A token of another is refused, whatever
    /// keys there are.
    pub algorithms: Vec<Algorithm>,
    /// The claim `iss` must be exactly one of these; empty: whatever it is.
    pub issuers: Vec<String>,
    /// The claim `aud` must be or contain exactly this.
    pub audience: Option<String>,
    /// Which claims name the person: the first that is present does. All that are present must
    /// be names.
    pub user_claim: Vec<String>,
    /// The claim that lists the namespaces.
    pub namespace_claim: String,
    /// The claim that lists the scopes, as text parted by blanks or as an array.
    pub scope_claim: String,
    /// The claim that lists the roles, as an array.
    pub roles_claim: String,
    /// Which claims list the channels that the person is a member of, as an array: the first
    /// that is present does.
    pub channels_claim: Vec<String>,
    /// How far the clocks may be apart, up to [`SKEW_MAX`].
    pub skew: Duration,
    /// How far ahead `exp` may lie, up to [`LIFETIME_MAX`].
    pub lifetime_max: Duration,
    /// Claims that must be present besides `exp` and a user.
    pub required: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            algorithms: vec![Algorithm::Hs256],
            issuers: Vec::new(),
            audience: None,
            user_claim: vec!["preferred_username".to_owned(), "sub".to_owned()],
            namespace_claim: "namespaces".to_owned(),
            scope_claim: "scope".to_owned(),
            roles_claim: "roles".to_owned(),
            channels_claim: vec!["channels".to_owned(), "groups".to_owned()],
            skew: SKEW,
            lifetime_max: LIFETIME_MAX,
            required: Vec::new(),
        }
    }
}

impl Settings {
    /// Sees whether tokens can be verified by these settings.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`] names the first field that cannot be used.
    pub fn check(&self) -> Result<(), InvalidSettings> {
        let one = |name: &String| !name.is_empty() && name.len() <= 1024;
        let some = |names: &[String]| (1..=NAMES_MAX).contains(&names.len()) && is_any(names);
        let field = if self.algorithms.is_empty() {
            "algorithms"
        } else if !is_any(&self.issuers) {
            "issuers"
        } else if !self.audience.iter().all(one) {
            "audience"
        } else if !some(&self.user_claim) {
            "user_claim"
        } else if !one(&self.namespace_claim) {
            "namespace_claim"
        } else if !one(&self.scope_claim) {
            "scope_claim"
        } else if !one(&self.roles_claim) {
            "roles_claim"
        } else if !some(&self.channels_claim) {
            "channels_claim"
        } else if self.skew > SKEW_MAX {
            "skew"
        } else if self.lifetime_max.is_zero() || self.lifetime_max > LIFETIME_MAX {
            "lifetime_max"
        } else if !is_any(&self.required) {
            "required"
        } else {
            return Ok(());
        };
        Err(InvalidSettings(field))
    }
}

/// Whether a list is short enough, and every text in it neither empty nor huge.
fn is_any(names: &[String]) -> bool {
    let sound = |name: &String| !name.is_empty() && name.len() <= 1024;
    names.len() <= NAMES_MAX && names.iter().all(sound)
}

/// This field of the [`Settings`] is empty where it must not be, or out of its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSettings(pub(crate) &'static str);

impl InvalidSettings {
    /// The name of the field.
    #[must_use]
    pub const fn field(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "skew" => write!(f, "skew: at most {} seconds", SKEW_MAX.as_secs()),
            "lifetime_max" => write!(
                f,
                "lifetime_max: more than nothing, and at most {} days",
                LIFETIME_MAX.as_secs() / 86_400
            ),
            field => write!(
                f,
                "{field}: it is empty, too long, or holds something that is"
            ),
        }
    }
}

impl core::error::Error for InvalidSettings {}
