//! What commands print: tables for people, and data for programs.

mod confirm;
mod human;
mod kind;
mod out;
mod table;

pub(crate) use confirm::confirm;
pub(crate) use human::{bar, bytes, clean, count, counted, duration, money, one_line, time};
pub(crate) use kind::Kind;
pub(crate) use out::{Format, Out, OutputArgs};
pub(crate) use table::{Column, Record, Table, column, cut};
