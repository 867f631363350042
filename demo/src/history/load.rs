//! Into Prometheus' data folder before Prometheus starts: as blocks, which promtool makes of the samples.

use std::path::Path;

/// Of one block: the longest that promtool makes, so that a year needs one block or two. promtool goes through all samples once
/// for each.
const BLOCK: &str = "13122h";

/// promtool's arguments that make blocks in `data` of the file `samples`. They end where the samples end, so that Prometheus'
/// own, later ones follow without an overlap.
#[must_use]
pub fn promtool_arguments(samples: &Path, data: &Path) -> Vec<String> {
    let block = format!("--max-block-duration={BLOCK}");
    let words = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", &block].map(str::to_owned);
    words.into_iter().chain([samples, data].map(|path| path.display().to_string())).collect()
}
