//! The report as a page to look at: one file, nothing fetched from elsewhere.

mod matrix;
mod parts;

use std::fmt::{self, Write};

use super::{Report, Verdict};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// The page.
pub(crate) fn render(report: &Report) -> String {
    let mut page = String::with_capacity(256 * 1024);
    let good = report.counts.broken() == 0;
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>anyio conformance: {}</title>\n{}\
         <style>\n{STYLE}</style>\n</head>\n<body>\n",
        if good { "all laws hold" } else { "some laws do not hold" },
        icon(good),
    );
    parts::hero(&mut page, report);
    page.push_str("<main>\n");
    parts::backends(&mut page, report);
    parts::failures(&mut page, report);
    matrix::matrix(&mut page, report);
    parts::slowest(&mut page, report);
    parts::surroundings(&mut page, report);
    let _ = write!(page, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    page
}

/// A dot in the colour of the verdict, for the tab.
fn icon(good: bool) -> String {
    let colour = if good { "%2316a34a" } else { "%23dc2626" };
    format!(
        "<link rel=\"icon\" href=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>\
         <circle cx='8' cy='8' r='7' fill='{colour}'/></svg>\">\n"
    )
}

/// Text that means itself in HTML, also in attributes.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            _ => f.write_char(char),
        })
    }
}

/// Prose with `code` in it.
pub(super) struct Prose<'a>(pub(super) &'a str);

impl fmt::Display for Prose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.split('`').enumerate().try_for_each(|(place, piece)| match place % 2 {
            0 => Text(piece).fmt(f),
            _ => write!(f, "<code>{}</code>", Text(piece)),
        })
    }
}

/// A time as people say it.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        0.0..0.000_999_5 => format!("{:.0} µs", seconds * 1e6),
        0.0..0.009_95 => format!("{:.1} ms", seconds * 1e3),
        0.0..0.9995 => format!("{:.0} ms", seconds * 1e3),
        0.0..99.95 => format!("{seconds:.1} s"),
        _ => format!("{seconds:.0} s"),
    }
}

/// The slowest verdict's time; never 0.
pub(super) fn longest<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> f64 {
    verdicts.into_iter().map(|verdict| verdict.seconds).fold(1e-9, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::example;

    #[test]
    fn the_page_is_whole_and_needs_nothing_from_elsewhere() {
        let page = render(&example());
        assert!(page.ends_with("</html>\n"));
        assert!(page.contains("id=\"D1\""));
        assert!(page.contains("It &lt;fails&gt;."));
        assert!(page.contains("It <code>hangs</code>."));
        assert!(page.contains("left &lt;is&gt; not right"));
        let elsewhere = ["src=\"http", "href=\"http", "@import", "url(http", "fetch("];
        elsewhere.iter().for_each(|from| assert!(!page.contains(from), "{from}"));
    }

    #[test]
    fn every_element_that_is_opened_is_closed() {
        let page = render(&example());
        for name in ["div", "section", "table", "tbody", "tr", "td", "th", "span", "button", "details", "ul", "li"] {
            let opened = page.matches(&format!("<{name} ")).count() + page.matches(&format!("<{name}>")).count();
            assert_eq!(opened, page.matches(&format!("</{name}>")).count(), "{name}");
        }
    }

    #[test]
    fn times_have_two_or_three_digits() {
        let times = [0.000_25, 0.001_234, 0.012_34, 0.9999, 12.34, 123.4].map(time);
        assert_eq!(times, ["250 µs", "1.2 ms", "12 ms", "1.0 s", "12.3 s", "123 s"]);
    }
}
