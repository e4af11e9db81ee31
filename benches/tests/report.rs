//! The report from end to end: an interrupted run, going on with it, the page in
//! a browser, and what changed between two files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_smr-bench"))
        .args(arguments)
        .output()
        .expect("the binary starts")
}

/// An empty folder for a test.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("the records");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect()
}

/// Which comparisons a file has.
fn comparisons(lines: &[Value]) -> BTreeSet<String> {
    let records = lines.iter().filter(|line| line["suite"].is_string());
    records
        .map(|line| format!("{} {} {}", line["suite"], line["workload"], line["threads"]))
        .collect()
}

/// The elements of a page, which must be closed in the order of their opening;
/// gives how many there are of each name.
fn elements(page: &str) -> std::collections::BTreeMap<String, usize> {
    let mut open: Vec<&str> = Vec::new();
    let mut count = std::collections::BTreeMap::new();
    let body = page.strip_prefix("<!DOCTYPE html>").expect("a page");
    for part in body.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
            continue;
        }
        let name = tag.split([' ', '/']).next().expect("a name");
        *count.entry(name.to_owned()).or_default() += 1;
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, [""; 0], "left open");
    count
}

/// Records as several suites have them, one that nobody knows among them.
fn made_up(path: &Path) {
    let mut lines = Vec::new();
    let mut record =
        |suite: &str, workload: &str, threads: u64, subject: &str, metric, unit, at| {
            lines.push(json!({
                "suite": suite, "workload": workload, "threads": threads, "subject": subject,
                "metric": metric, "unit": unit, "min": at * 0.9, "median": at, "max": at * 1.1,
                "runs": 3,
            }));
        };
    for (number, subject) in ["smr", "seize", "crossbeam-epoch"].into_iter().enumerate() {
        let speed = 9e7 / (number + 1) as f64;
        for threads in [1, 2, 4, 16] {
            let rate = speed * f64::from(u32::try_from(threads).expect("small")).sqrt();
            record(
                "churn",
                "random/1024",
                threads,
                subject,
                "throughput",
                "operations/s",
                rate,
            );
            record(
                "novel",
                "a&b",
                threads,
                subject,
                "overhead_peak",
                "bytes",
                rate,
            );
        }
        record(
            "section",
            "enter",
            1,
            subject,
            "time_per_op",
            "ns",
            1e9 / speed,
        );
        record(
            "latency",
            "insert/1000",
            1,
            subject,
            "insert_p50",
            "ns",
            3e9 / speed,
        );
        record(
            "latency",
            "insert/1000",
            1,
            subject,
            "insert_p9999",
            "ns",
            3e13 / speed,
        );
    }
    let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    fs::write(path, text.join("\n") + "\n").expect("written");
}

#[test]
fn a_page_is_made_of_records_alone_and_well_formed() {
    let folder = folder("report-from");
    let (records, page) = (folder.join("a.jsonl"), folder.join("a.html"));
    made_up(&records);
    let output = bench(&["report", "--from", text(&records), "--html", text(&page)]);
    assert!(output.status.success(), "{output:?}");
    let beside = fs::read_to_string(page.with_extension("csv")).expect("values beside it");
    assert_eq!(beside.lines().count(), 1 + lines(&records).len());
    let page = fs::read_to_string(page).expect("the page");
    let count = elements(&page);
    // churn, novel, section, latency.
    assert_eq!(count["figure"], 4, "{count:?}");
    assert_eq!(count["svg"], 4);
    assert_eq!(count["figcaption"], 4);
    assert!(count["circle"] + count["rect"] >= 3 * (4 + 4 + 1 + 2));
    assert!(!count.contains_key("script") && !count.contains_key("link"));
    assert!(page.contains("prefers-color-scheme: dark"));
    assert!(page.contains("a&amp;b"));
}

#[test]
fn options_narrow_what_is_taken_from_records() {
    let folder = folder("report-narrow");
    let records = folder.join("a.jsonl");
    made_up(&records);
    let from = ["report", "--from", text(&records)];
    let narrow = |more: &[&str]| bench(&[&from, more].concat());
    let table = narrow(&["churn", "--threads", "2", "--markdown", "-"]);
    let table = String::from_utf8(table.stdout).expect("UTF-8");
    assert!(
        table.contains("| smr |") && !table.contains("section"),
        "{table}"
    );
    assert!(!narrow(&["map"]).status.success(), "there is no map in it");
}

/// A browser, if there is one.
fn browser() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| {
            let version = Command::new(name).arg("--version").output();
            version.is_ok_and(|output| output.status.success())
        })
}

/// What a browser makes of a page at some widths: says for each how wide the
/// content is, how many drawings have a height, and the colour of the paper.
fn seen(browser: &str, folder: &Path, page: &str, widths: &[u32], dark: bool) -> Vec<Value> {
    const LOOK: &str = "<script>addEventListener('load', () => {
        const drawn = [...document.querySelectorAll('svg')]
            .filter(svg => svg.getBoundingClientRect().height > 40);
        parent.postMessage({width: innerWidth, content: document.documentElement.scrollWidth,
            drawn: drawn.length, paper: getComputedStyle(document.body).backgroundColor}, '*');
        });</script></body>";
    fs::write(folder.join("looked.html"), page.replace("</body>", LOOK)).expect("written");
    let frames: String = widths
        .iter()
        .map(|width| {
            format!("<iframe src=\"looked.html\" width=\"{width}\" height=\"900\"></iframe>")
        })
        .collect();
    let outer = format!(
        "<!DOCTYPE html><html><body><pre></pre><script>addEventListener('message', message => {{
        document.querySelector('pre').textContent += JSON.stringify(message.data) + '\\n'; }});
        </script>{frames}</body></html>"
    );
    let path = folder.join("frames.html");
    fs::write(&path, outer).expect("written");
    let output = Command::new(browser)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1600,1000",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg(format!(
            "--blink-settings=preferredColorScheme={}",
            u8::from(!dark)
        ))
        .args(["--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("file://{}", path.display()))
        .output()
        .expect("the browser starts");
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = dom
        .split_once("<pre>")
        .and_then(|(_, rest)| rest.split_once("</pre>"));
    let (told, _) = told.unwrap_or_else(|| panic!("no page: {dom} {output:?}"));
    told.lines()
        .map(|line| serde_json::from_str(line).expect("what the script said"))
        .collect()
}

#[test]
fn a_browser_shows_the_page_on_wide_and_narrow_screens_light_and_dark() {
    let Some(browser) = browser() else {
        println!("no browser here: the page is only taken apart by the test above");
        return;
    };
    let folder = folder("report-browser");
    let (records, page) = (folder.join("a.jsonl"), folder.join("a.html"));
    made_up(&records);
    let output = bench(&["report", "--from", text(&records), "--html", text(&page)]);
    assert!(output.status.success(), "{output:?}");
    let page = fs::read_to_string(page).expect("the page");
    for (dark, paper) in [(false, "rgb(255, 255, 255)"), (true, "rgb(20, 22, 26)")] {
        let seen = seen(browser, &folder, &page, &[360, 1280], dark);
        assert_eq!(seen.len(), 2, "{seen:?}");
        for look in seen {
            assert_eq!(look["drawn"], 4, "{look}");
            assert!(
                look["content"].as_u64() <= look["width"].as_u64(),
                "too wide: {look}"
            );
            assert_eq!(look["paper"], paper, "{look}");
        }
    }
}

/// Sends what Ctrl-C does, once a first comparison is written down.
#[cfg(unix)]
fn interrupt(child: &std::process::Child, records: &Path) {
    let begin = Instant::now();
    let written = || fs::read_to_string(records).map_or(0, |text| text.lines().count());
    while written() < 2 {
        assert!(begin.elapsed() < Duration::from_secs(60), "no records");
        thread::sleep(Duration::from_millis(2));
    }
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("there is a kill");
    assert!(kill.success());
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_a_valid_report_and_can_be_gone_on_with() {
    let folder = folder("report-interrupted");
    let [json, page, values] = ["a.jsonl", "a.html", "a.csv"].map(|name| folder.join(name));
    let mut arguments = vec!["report", "free", "section", "--subjects", "smr,seize"];
    arguments.extend([
        "--seconds",
        "0.15",
        "--runs",
        "1",
        "--pools",
        "100",
        "--threads",
        "1,2",
    ]);
    arguments.extend([
        "--json",
        text(&json),
        "--html",
        text(&page),
        "--csv",
        text(&values),
    ]);
    let child = Command::new(env!("CARGO_BIN_EXE_smr-bench"))
        .args(&arguments)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    interrupt(&child, &json);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(!said.contains("panicked"), "{said}");

    let before = lines(&json);
    let had = comparisons(&before);
    assert!(!had.is_empty());
    let partial = fs::read_to_string(&page).expect("the page");
    assert!(partial.contains("This report is partial"));
    elements(&partial);
    let rows = fs::read_to_string(&values)
        .expect("the values")
        .lines()
        .count();
    assert_eq!(
        rows,
        before.len(),
        "a line each, and one of names beside one of facts"
    );

    arguments.push("--resume");
    let output = bench(&arguments);
    assert!(output.status.success(), "{output:?}");
    let after = lines(&json);
    assert_eq!(
        before[1..],
        after[1..before.len()],
        "what was there is not run again"
    );
    let has = comparisons(&after);
    assert!(has.is_superset(&had) && has.len() == 9, "{has:?}");
    let mut rows: Vec<String> = after[1..]
        .iter()
        .map(|line| {
            let comparison = comparisons(std::slice::from_ref(line));
            format!("{comparison:?} {} {}", line["subject"], line["metric"])
        })
        .collect();
    let all = rows.len();
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), all, "nothing is there twice");
    let page = fs::read_to_string(&page).expect("the page");
    assert!(!page.contains("This report is partial"));

    arguments.extend(["--no-pin"]);
    let refused = bench(&arguments);
    assert!(!refused.status.success(), "another way of running");
}

#[test]
fn diff_tells_by_its_exit_code_what_became_worse() {
    let folder = folder("report-diff");
    let [a, b, other] = ["a.jsonl", "b.jsonl", "other.jsonl"].map(|name| folder.join(name));
    let record = |workload: &str, figures: [f64; 3]| {
        let [min, median, max] = figures;
        json!({"suite": "churn", "workload": workload, "threads": 2, "subject": "smr",
            "metric": "throughput", "unit": "operations/s", "min": min, "median": median,
            "max": max, "runs": 3})
        .to_string()
            + "\n"
    };
    fs::write(&a, record("x", [9.0, 10.0, 11.0])).expect("written");
    fs::write(&b, record("x", [5.0, 6.0, 7.0])).expect("written");
    fs::write(&other, record("y", [5.0, 6.0, 7.0])).expect("written");
    let code = |from: &Path, to: &Path| bench(&["diff", text(from), text(to)]).status.code();
    assert_eq!(code(&a, &a), Some(0));
    assert_eq!(code(&a, &b), Some(1));
    assert_eq!(code(&b, &a), Some(0));
    assert_eq!(code(&a, &other), Some(2));
    assert_eq!(code(&a, &folder.join("missing")), Some(2));
    let output = bench(&["diff", text(&a), text(&b)]);
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        told.contains("worse:\n  churn x ×2 smr throughput: -40.0%"),
        "{told}"
    );
}

/// Its threads hold queues of the library meanwhile.
#[cfg(all(unix, feature = "c-peers"))]
#[test]
fn an_interrupted_run_of_a_peer_in_c_ends_as_others_do() {
    let folder = folder("report-interrupted-c");
    let json = folder.join("a.jsonl");
    let mut child = Command::new(env!("CARGO_BIN_EXE_smr-bench"))
        .args(["churn", "--subjects", "urcu-memb-defer", "--threads", "2"])
        .args([
            "--sizes",
            "128,1024,4096",
            "--runs",
            "1",
            "--seconds",
            "0.5",
        ])
        .args(["--json", text(&json)])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    interrupt(&child, &json);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn files_that_tell_the_same_agree_and_others_do_not() {
    let folder = folder("report-agree");
    let write = |name: &str, smr: f64, seize: f64| {
        let path = folder.join(name);
        let line = |subject: &str, median: f64| {
            json!({"suite": "churn", "workload": "x", "threads": 2, "subject": subject,
                "metric": "throughput", "unit": "operations/s", "min": median * 0.9,
                "median": median, "max": median * 1.1, "runs": 3})
            .to_string()
        };
        let lines = [line("smr", smr), line("seize", seize)];
        fs::write(&path, lines.join("\n") + "\n").expect("written");
        path
    };
    let brief = write("brief", 10.0, 5.0);
    let long = write("long", 11.0, 5.0);
    let faster = write("faster", 30.0, 5.0);
    let reversed = write("reversed", 5.0, 10.0);
    let agree = |other: &Path| bench(&["diff", "--agree", text(&brief), text(other)]);
    assert_eq!(agree(&long).status.code(), Some(0));
    assert_eq!(agree(&faster).status.code(), Some(1));
    let output = agree(&reversed);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        told.contains("reversed: churn x ×2: smr and seize"),
        "{told}"
    );
}

#[test]
fn a_run_over_real_input_that_is_stopped_keeps_what_it_has() {
    let folder = folder("report-work-stopped");
    let records = folder.join("a.jsonl");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut child = Command::new(env!("CARGO_BIN_EXE_smr-bench"))
        .args(["index", text(&sources), "--runs", "100000"])
        .args(["--subjects", "smr,std-rwlock", "--json", text(&records)])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    let begin = Instant::now();
    let has_both = || {
        let known = fs::read_to_string(&records).unwrap_or_default();
        known.contains("\"smr\"") && known.contains("\"std-rwlock\"")
    };
    while !has_both() && begin.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(has_both(), "no records before the end");
    let known = lines(&records);
    assert!(known[0]["header"]["machine"].is_object());
    let runs = known[1]["runs"].as_u64().expect("a number");
    assert!((1..100_000).contains(&runs), "{runs}");
    let page = folder.join("a.html");
    let output = bench(&["report", "--from", text(&records), "--html", text(&page)]);
    assert!(output.status.success(), "{output:?}");
    elements(&fs::read_to_string(&page).expect("the page"));
}

#[test]
fn real_input_is_worked_on_and_reported() {
    let folder = folder("report-work");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join("report");
    let mut reports = Vec::new();
    for (command, subjects) in [
        ("index", ["smr", "papaya", "dashmap", "std-rwlock"]),
        (
            "pages",
            ["smr-hashmap", "dashmap", "std-btree", "parking_lot-btree"],
        ),
    ] {
        let records = folder.join(command);
        let mut arguments = vec![command, text(&sources), "--runs", "1"];
        arguments.extend(["--requests", "10000", "--json", text(&records)]);
        let output = bench(&arguments);
        assert!(output.status.success(), "{output:?}");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(printed.contains("all agree"), "{printed}");
        let lines = lines(&records);
        for subject in subjects {
            let has = |metric: &str| {
                let mut own = lines.iter().filter(|line| line["subject"] == subject);
                own.any(|line| line["metric"] == metric)
            };
            assert!(has("wall_time"), "{subject}");
            assert!(!cfg!(target_os = "linux") || (has("cpu_time") && has("peak_resident")));
        }
        reports.extend(["--from".to_owned(), text(&records).to_owned()]);
    }
    let page = folder.join("page.html");
    let mut arguments = vec!["report", "--html", text(&page)];
    arguments.extend(reports.iter().map(String::as_str));
    assert!(bench(&arguments).status.success());
    let page = fs::read_to_string(page).expect("the page");
    elements(&page);
    assert!(page.contains("id=\"index\"") && page.contains("id=\"pages\""));
}
