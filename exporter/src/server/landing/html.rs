//! HTML with everything that comes from outside escaped.

use std::fmt::Write as _;

/// A page being written: markup is ours, text is anybody's.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup, as it stands.
    pub(super) fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, escaped for elements and quoted attributes.
    pub(super) fn text(&mut self, text: impl std::fmt::Display) -> &mut Self {
        // Writing to a string does not fail.
        let _ = write!(Escaped(&mut self.0), "{text}");
        self
    }

    /// Text shortened to `most` characters.
    pub(super) fn short(&mut self, text: &str, most: usize) -> &mut Self {
        match text.char_indices().nth(most) {
            Some((end, _)) => self.text(&text[..end]).text("…"),
            None => self.text(text),
        }
    }

    /// The page.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

struct Escaped<'a>(&'a mut String);

impl std::fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let mut html = Html::default();
        html.markup("<b>").text("<script a='\"'>&").markup("</b>");
        assert_eq!(html.into_bytes(), b"<b>&lt;script a=&#39;&quot;&#39;&gt;&amp;</b>");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let mut html = Html::default();
        html.short("日本語", 3).short("日本語", 2).short("", 0);
        assert_eq!(String::from_utf8(html.into_bytes()).unwrap(), "日本語日本…");
    }
}
