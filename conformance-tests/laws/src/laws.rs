//! The laws: what every operation means, on every backend.

/// A law.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Its number, such as `"C4"`: the letter of its family and a number.
    pub number: &'static str,
    /// What it says.
    pub text: &'static str,
    /// Whether it has to have cases; otherwise it is not built yet.
    pub built: bool,
}

const fn law(number: &'static str, text: &'static str) -> Law {
    Law { number, text, built: true }
}

/// All laws.
pub static LAWS: &[Law] = &[law("C1", "Cancellation is sticky and level-triggered.")];
