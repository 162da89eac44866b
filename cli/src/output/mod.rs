//! What commands print: tables for people, and data for programs.

mod confirm;
mod csv;
mod human;
mod kind;
mod out;
mod printable;
mod table;

pub(crate) use confirm::confirm;
pub(crate) use csv::Csv;
pub(crate) use human::{bar, bytes, count, counted, duration, money, time};
pub(crate) use kind::Kind;
pub(crate) use out::{Format, Out, OutputArgs};
pub(crate) use printable::{clean, json, one_line};
pub(crate) use table::{Column, Record, Table, column, cut};
