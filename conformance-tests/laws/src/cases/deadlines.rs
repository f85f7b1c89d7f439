//! Cases of the laws D.
