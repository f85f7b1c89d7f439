//! Cases of the laws L.
