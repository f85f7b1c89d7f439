//! Cases of the laws H.
