//! Cases of the laws F.
