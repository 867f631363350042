//! The report on paper, as a browser lays it out: nothing lies over anything else, and nothing is wider than the page.
//!
//! The print style is laid out on a screen as wide as A4 between its margins; page breaks are not looked at.

use std::fs;
use std::path::Path;

use crate::closing::{CONFIG, good, run, server};
use crate::status::browse;

/// What lies over something else, or ends outside of the page: parts of texts, one a line. Drawings have texts of their own.
const LOOK: &str = r"
<script>
const found = [], right = document.body.getBoundingClientRect().right + 1, all = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode, holder = node.parentElement;
  if (!node.data.trim() || holder.closest('svg, script, style') || !holder.checkVisibility()) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  for (const box of range.getClientRects()) {
    if (box.width > 1) all.push({box, text: node.data.trim().slice(0, 40)});
  }
}
for (const {box, text} of all) {
  if (box.right > right) found.push(`WIDE ${text}`);
}
for (let i = 0; i < all.length; i++) {
  for (let j = i + 1; j < all.length; j++) {
    const a = all[i].box, b = all[j].box;
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 2 && down > 0.5 * Math.min(a.height, b.height)) found.push(`OVER ${all[i].text} | ${all[j].text}`);
  }
}
document.body.textContent = `TEXTS ${all.length}\n` + found.join('\n') + '\nEND';
</script>";

/// What a browser finds in `report`, laid out as on paper.
fn findings(report: &str, folder: &Path) -> (usize, Vec<String>) {
    let paper = "<style>html{width:182mm}</style>";
    let page = report.replace("@media print", "@media all").replace("</head>", &format!("{paper}</head>"));
    // Scripts are what its policy forbids.
    let page = page.replace("default-src 'none';", "script-src 'unsafe-inline';");
    assert!(page.contains("@media all") && page.contains(paper) && page.contains("script-src"));
    let file = folder.join("printed.html");
    fs::write(&file, page.replace("</body>", &format!("{LOOK}</body>"))).unwrap();
    let shown = browse(&format!("file://{}", file.display()));
    let dom = String::from_utf8_lossy(&shown.stdout).into_owned();
    let found = dom.split_once("TEXTS ").and_then(|(_, rest)| rest.split_once("\nEND"));
    let (found, _) = found.unwrap_or_else(|| panic!("{dom}\n{}", String::from_utf8_lossy(&shown.stderr)));
    let (count, found) = found.split_once('\n').unwrap();
    (count.parse().unwrap(), found.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

const LEDGER: &str = "maintenance:
  - id: june
    title: {ja: データベースの更新と記憶装置の交換, en: Database update and new disks}
    functions: [client]
    announced_at: 2026-05-20T10:00:00+09:00
    start: 2026-06-19T22:00:00+09:00
    end: 2026-06-20T04:00:00+09:00
    finished_at: 2026-06-20T05:12:30+09:00
incidents:
  - id: 2026-06-02-outage
    title: {ja: 障害, en: Outage}
    functions: [client]
    cause: upstream
    upstream: sfdc
    started_at: 2026-06-02T00:00:00+09:00
    resolved_at: 2026-06-02T08:00:00+09:00
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_paper_nothing_lies_over_anything_else_or_leaves_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sla.yml"), CONFIG).unwrap();
    fs::write(folder.join("ledger.yml"), LEDGER).unwrap();
    let server = server().await;
    let url = format!("--prometheus.url=http://127.0.0.1:{}", server.port);
    for lang in ["--lang=ja", "--lang=en"] {
        let asked = ["--config.file=sla.yml", "--month=2026-06", "--format=html", lang, url.as_str()];
        let made = run(folder, &asked);
        good(&made);
        let report = String::from_utf8(made.stdout).unwrap();
        let (texts, found) = findings(&report, folder);
        assert!(texts > 200, "{texts}");
        assert!(found.is_empty(), "{lang}: {}", found.join("\n"));
        // It does find what there is.
        let narrow = report.replace("</head>", "<style>.duties td{max-width:1px;white-space:nowrap}</style></head>");
        assert!(!findings(&narrow, folder).1.is_empty());
    }
}
