//! Markdown's own: headings, tables, and texts that stay texts.

/// A heading.
pub(super) fn heading(out: &mut String, level: usize, text: &str) {
    *out += &format!("{} {text}\n\n", "#".repeat(level));
}

/// A table; cells are Markdown already.
pub(super) fn table<const N: usize>(out: &mut String, columns: &[&str; N], rows: &[[String; N]]) {
    *out += &format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(N));
    for row in rows {
        *out += &format!("| {} |\n", row.join(" | "));
    }
    *out += "\n";
}

/// A text somebody wrote, on one line and as it was written: none of its signs is markup, HTML or a link.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\r' => {}
            '\n' => out += "<br>",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '&' => out += "&amp;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    // What begins a line could make it a list, a quotation's or a table's.
    if out.starts_with(['-', '+', '=']) {
        out.insert(0, '\\');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text() {
        for (raw, safe) in [
            ("a | b", "a \\| b"),
            ("two\r\nlines", "two<br>lines"),
            ("<script>", "&lt;script&gt;"),
            ("![x](http://y)", "!\\[x\\](http://y)"),
            ("- item", "\\- item"),
            ("*b* _i_ `c`", "\\*b\\* \\_i\\_ \\`c\\`"),
            ("\u{1b}[31m", "\\[31m"),
            ("障害", "障害"),
        ] {
            assert_eq!(escaped(raw).trim(), safe);
        }
    }
}
