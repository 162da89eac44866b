//! The names that a plugin's file exports. OpenCode up to 1.3 calls each export
//! as a plugin. Where one of them is no function it does not load the file at
//! all, and only writes a line to its log.

/// The names that a module exports, found without running it: in the form that
/// our build writes, and in those that a person would write by hand.
pub(super) fn exports(module: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in module.match_indices("export") {
        let starts_word = module
            .get(..at)
            .and_then(|before| before.chars().next_back());
        if starts_word.is_some_and(|letter| !matches!(letter, '\n' | ';' | '}' | ' ' | '\r')) {
            continue;
        }
        let rest = module.get(at + "export".len()..).unwrap_or_default();
        let trimmed = rest.trim_start();
        if let Some(list) = trimmed.strip_prefix('{') {
            let list = list.split('}').next().unwrap_or_default();
            names.extend(list.split(',').filter_map(exported));
        } else if rest.starts_with(char::is_whitespace) {
            let mut words = trimmed
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '$');
            match words.next() {
                Some("default") => names.push("default".to_owned()),
                Some("const" | "let" | "var" | "class" | "function") => {
                    names.extend(words.find(|word| !word.is_empty()).map(str::to_owned));
                }
                Some("async") => names.extend(
                    words
                        .find(|word| !word.is_empty() && *word != "function")
                        .map(str::to_owned),
                ),
                _ => {}
            }
        }
    }
    names
}

/// `a as b` exports `b`.
fn exported(entry: &str) -> Option<String> {
    let name = entry.rsplit(" as ").next()?.trim();
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$');
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::exports;

    #[test]
    fn exports_are_found_by_name() {
        assert_eq!(
            exports("var a = 1;\nexport {\n  a as default\n};\n"),
            ["default"]
        );
        assert_eq!(
            exports("export default plugin;\nexport const VERSION = 1;"),
            ["default", "VERSION"]
        );
        assert_eq!(
            exports("export async function load() {}\nexport{x,y as z};"),
            ["load", "x", "z"]
        );
        assert!(exports("const exported = 1; module.exports = exported;").is_empty());
    }
}
