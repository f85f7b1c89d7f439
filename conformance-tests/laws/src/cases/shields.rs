//! Cases of the laws S.
