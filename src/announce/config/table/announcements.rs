//! The keys of announcements: their endpoint, feeds and schedules.

use crate::announce::config::rule::{
    BODY, CRON, FEED, HTTP_URL, ID, NAMESPACE, PATH, SCOPE, WORDS, ZONE,
};
use crate::announce::config::table::row::Kind::{
    Choice, Data, Flag, Map, Maps, Named, Text, Texts, Time,
};
use crate::announce::config::table::row::Presence::{Default, Optional, Required};
use crate::announce::config::table::row::table;

const DAY: u64 = 86_400_000;

table! { ROWS:
    "announcements" Map, Optional, Restart,
        "Announcements: stored, pushed live, kept until read.";
    "announcements.path" Text(PATH), Default("/websockets"), Restart,
        "The path at which sockets for announcements are opened.";
    "announcements.feeds" Named(FEED, 10_000), Optional, Reload,
        "What is different for certain feeds: Public, a channel, role:NAME or user:NAME.";
    "announcements.feeds.*" Map, Optional, Reload,
        "One feed.";
    "announcements.feeds.*.retain" Time(DAY, 100 * 365 * DAY), Default("400d"), Reload,
        "How long an announcement is kept.";
    "announcements.feeds.*.late_joiners" Choice(&["from-joining", "all"]),
        Default("all"), Reload,
        "What is unread for somebody who comes later: what follows, or all that is kept.";
    "announcements.feeds.*.publish" Texts(SCOPE), Default(""), Reload,
        "The scopes of which one is needed to publish; with none, the scope of the feed's kind.";
    "announcements.feeds.*.require_ack" Flag, Default("false"), Reload,
        "Whether an announcement asks for an acknowledgement unless it says otherwise.";
    "announcements.schedules" Maps(1000), Optional, Reload,
        "Announcements that the server publishes by the clock.";
    "announcements.schedules[].id" Text(ID), Required, Reload,
        "The name of the schedule; no two share one.";
    "announcements.schedules[].cron" Text(CRON), Required, Reload,
        "When: minute, hour, day of the month, month, day of the week.";
    "announcements.schedules[].timezone" Text(ZONE), Required, Reload,
        "Where the clock hangs, as the IANA database names it.";
    "announcements.schedules[].catch_up" Choice(&["once", "none", "all"]), Default("once"), Reload,
        "What becomes of runs that were missed: one for all of them, none, or each.";
    "announcements.schedules[].feed" Text(FEED), Required, Reload,
        "The feed to publish in.";
    "announcements.schedules[].namespace" Text(NAMESPACE), Default("main"), Reload,
        "The namespace to publish in.";
    "announcements.schedules[].audience_hook" Text(HTTP_URL), Optional, Reload,
        "Asked at each run for whom the announcement is.";
    "announcements.schedules[].template" Map, Required, Reload,
        "What is announced.";
    "announcements.schedules[].template.title" Text(WORDS), Required, Reload,
        "Its title.";
    "announcements.schedules[].template.body" Text(BODY), Required, Reload,
        "Its text.";
    "announcements.schedules[].template.data" Data, Optional, Reload,
        "Fields for programs, handed on as they are.";
    "announcements.schedules[].priority" Choice(&["low", "normal", "high", "urgent"]),
        Default("normal"), Reload,
        "How much it matters.";
    "announcements.schedules[].paused" Flag, Default("false"), Reload,
        "Whether its runs are left out.";
}
