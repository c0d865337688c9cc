//! How often one person may publish, wherever they do it from.

use alloc::borrow::ToOwned as _;
use std::sync::PoisonError;

use crate::announce::desk::{Actor, Denied, Desk};
use crate::announce::rate::{Buckets, Rate};

impl Desk {
    /// Bounds how often one person may publish, wherever they do it from; as often as they like
    /// where nothing was set.
    //= A75
    pub fn set_publications(&self, rate: Rate) {
        let place = &self.publications;
        *place.write().unwrap_or_else(PoisonError::into_inner) = Some(Buckets::new(rate));
    }

    /// Forgets the people who have published nothing for a while.
    pub(crate) fn tidy(&self) {
        let publications = self.publications.read();
        let publications = publications.unwrap_or_else(PoisonError::into_inner);
        if let Some(publications) = publications.as_ref() {
            publications.tidy();
        }
    }

    pub(crate) fn may_publish_now(&self, actor: Actor<'_>) -> Result<(), Denied> {
        let publications = self.publications.read();
        let publications = publications.unwrap_or_else(PoisonError::into_inner);
        let Some(publications) = publications.as_ref() else {
            return Ok(());
        };
        let person = (actor.namespace.to_owned(), actor.user().to_owned());
        publications.try_take(&person).map_err(Denied::too_often)
    }
}
