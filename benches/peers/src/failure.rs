//! Why a connection or a server ended.

use std::error::Error;

pub type Failure = Box<dyn Error + Send + Sync>;
