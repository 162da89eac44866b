//! What commands print: tables for people, and data for programs.

mod cell;
mod human;
mod out;
mod table;

pub(crate) use cell::{Cell, Kind};
pub(crate) use human::{bar, bytes, clean, count, duration, money, one_line, time};
pub(crate) use out::{Format, Out, OutputArgs};
pub(crate) use table::{Column, Record, Table, column, cut};
