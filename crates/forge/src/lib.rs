//! CI hosts: what they tell by themselves. Only this crate says GitHub or GitLab.

pub mod hook;
