//! The report for programs.

use super::Report;

/// The report as it is.
pub(crate) fn render(report: &Report) -> String {
    let mut json = serde_json::to_string_pretty(report).expect("a report is plain data");
    json.push('\n');
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::example;

    #[test]
    fn the_form_is_the_value() {
        let json: serde_json::Value = serde_json::from_str(&render(&example())).unwrap();
        assert_eq!(json["schema"], 1);
        assert_eq!(json["seed"], 42);
        assert_eq!(json["counts"]["failed"], 1);
        assert_eq!(json["cases"][0]["verdicts"][1]["status"], "failed");
        assert_eq!(json["backends"][0]["name"], "tokio-multi-thread");
        assert_eq!(json["laws"][0]["number"], "C1");
    }
}
