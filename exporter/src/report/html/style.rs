//! The page's style: one sheet, and what of it depends on the report.
//!
//! Not for: paint of the picture's states (`picture::look`).

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};

use super::Page;
use crate::lang::Lang;

const SHEET: &str = include_str!("style.css");

/// Fonts every system has one of, Japanese first where the page is.
const FONTS_JA: &str = r#""Hiragino Sans","Hiragino Kaku Gothic ProN","Noto Sans JP","Noto Sans CJK JP","Yu Gothic Medium","Yu Gothic",YuGothic,Meiryo,sans-serif"#;
const FONTS_EN: &str = r#"system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",Arial,"Noto Sans CJK JP","Hiragino Sans","Yu Gothic",sans-serif"#;

pub(super) fn style(page: &Page<'_>) -> Markup {
    let fonts = page.say(FONTS_JA, FONTS_EN);
    let running = format!("{}  {}", page.report.contract.title.of(page.lang), page.words.month(page.report.month));
    // Each printed sheet says whose it is, which of how many, and whether it is final.
    let margins = format!(
        "@page{{@bottom-left{{content:{}}}@bottom-right{{content:{}}}}}",
        text(&running),
        match page.lang {
            Lang::Ja => "counter(page) \" / \" counter(pages) \" ページ\"",
            Lang::En => "\"Page \" counter(page) \" of \" counter(pages)",
        }
    );
    html! { style { (PreEscaped(format!(":root{{--fonts:{fonts}}}\n{SHEET}{margins}"))) } }
}

/// A text of CSS: whatever is not a letter or digit is written as a number, so nothing in it can end it.
fn text(value: &str) -> String {
    let mut quoted = String::from("\"");
    for c in value.chars().take(120) {
        if c.is_alphanumeric() {
            quoted.push(c);
        } else {
            // Writing to a text cannot fail.
            let _ = write!(quoted, "\\{:x} ", u32::from(c));
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_the_style_cannot_end_it() {
        assert_eq!(text("月 1"), "\"月\\20 1\"");
        let hostile = text("\"}</style><script>\\\n");
        assert!(!hostile[1..hostile.len() - 1].contains(['"', '<', '>', '}', '\n']), "{hostile}");
    }
}
