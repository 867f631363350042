//! selfmetrics
