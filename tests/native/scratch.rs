use crate::support::*;
#[test]
fn scratch() {
    let db = Db::new();
    for f in std::env::var("REC").unwrap().split_whitespace() {
        replay(&db, &read(std::path::Path::new(f)));
    }
    for l in db.rows("select event_type, code, path, expected, found, count from rejections") { println!("{l}"); }
    for t in TABLES { println!("{t} {}", db.value(&format!("select count(*) from {t}"))); }
    if let Ok(sql) = std::env::var("SQL") { for l in db.rows(&sql) { println!("{l}"); } }
}
