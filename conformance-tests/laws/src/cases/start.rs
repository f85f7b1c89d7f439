//! Cases of the laws R.
