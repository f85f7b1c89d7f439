//! Cases of the laws X.
