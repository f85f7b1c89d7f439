//! Cases of the laws G.
