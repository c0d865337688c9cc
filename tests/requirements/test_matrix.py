"""The matrix finds what it is there to find: run by `cargo test --test tidy`."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = "id\tsource\tlevel\twho\tapplies\tarea\ttitle\n"
TABLE = COLUMNS + (
    "WS-001\tRFC 6455 §5.1\tMUST\tclient\tyes\tcore\tmasked frames\n"
    "WS-002\tRFC 6455 §5.2\tMUST NOT\tboth\tyes\tcore\treserved bits\n"
    "WS-003\tRFC 6455 §5.3\tSHOULD\tboth\tyes\tcore\tgood manners\n"
    "WS-004\tRFC 6455 §5.4\tMUST\tauthor\tno: nobody here writes RFCs\tcore\tclear words\n"
    "WS-005\tRFC 6455 §5.5\tMUST\tclient\toptional\tcore\ta proxy\n"
    "WS-006\tRFC 6455 §5.6\tMUST\tboth\tyes\ttls\tsecrets\n"
)
SERVER = "id\tsubject\tlevel\tapplies\tarea\ttitle\n" + (
    "A01\tdelivery\trule\tyes\tannounce\tstored announcements\n"
    "A02\tsocket\trule\tno: mere prose\tannounce\twhat it is about\n"
    "AU-01\ttoken\trule\tyes\tannounce-later\tno token\n"
    "V-104\tstore\trule\tyes\tannounce\tversions\n"
)
# Not written as lines, so that the matrix of this project does not read them.
CODE, TEST = "//= {}\n", "    //= {} type=test\n"
COVERED = {
    "src/wire/mask.rs": CODE.format("WS-001"),
    "tests/engine/main.rs": TEST.format("WS-001") + TEST.format("WS-002"),
}


class Matrix(unittest.TestCase):
    def run_on(self, files, *arguments, table=TABLE, second=None):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            tables = {"table.tsv": table} | ({"server.tsv": second} if second else {})
            for name, text in tables.items():
                (root / name).write_text(text, encoding="utf-8")
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            command = [sys.executable, "-B", str(HERE / "matrix"), *arguments]
            command += ["--root", folder]
            for name in tables:
                command += ["--table", str(root / name)]
            return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")

    def test_a_covered_table_passes(self):
        done = self.run_on(COVERED, "--check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        row = next(line for line in done.stdout.splitlines() if line.startswith("WS-001"))
        self.assertIn("src/wire/mask.rs:1", row)
        self.assertIn("tests/engine/main.rs:1", row)
        self.assertIn("core: applicable MUST and MUST NOT without a test: 0", done.stdout)
        self.assertIn("tls: the same: 1\n  WS-006", done.stdout)

    def test_a_missing_test_fails_the_check_alone(self):
        files = {"src/a.rs": CODE.format("WS-001"), "tests/a.rs": TEST.format("WS-002")}
        done = self.run_on(files, "--check", "--quiet")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "WS-001 has no test: RFC 6455 §5.1, masked frames\n")
        self.assertEqual(self.run_on(files).returncode, 0)

    def test_an_unknown_id_fails(self):
        for path, mark in [("src/a.rs", "//="), ("tests/a.py", "#="), ("fuzz/a.mjs", "//=")]:
            done = self.run_on(COVERED | {path: f"\n{mark} WS-999 type=test\n"}, "--quiet")
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr, f"{path}:2: `WS-999` is in no table\n")

    def test_an_exception_takes_the_place_of_a_test(self):
        said = "//= WS-002 type=exception reason=the load generator opens many at once\n"
        files = {"src/a.rs": said, "tests/a.rs": TEST.format("WS-001")}
        done = self.run_on(files, "--check")
        self.assertEqual(done.returncode, 0)
        self.assertIn("excepted: WS-002 at src/a.rs:1: the load generator", done.stdout)

    def test_an_exception_without_a_reason_fails(self):
        for said in ["type=exception", "type=exception reason=", "type=exception because"]:
            done = self.run_on(COVERED | {"src/a.rs": f"//= WS-002 {said}\n"})
            self.assertEqual(done.returncode, 2)
            self.assertIn("an exception gives its reason", done.stderr)

    def test_other_words_behind_an_id_fail(self):
        for said in ["type=tests", "test", "WS-003"]:
            done = self.run_on(COVERED | {"src/a.rs": f"//= WS-002 {said}\n"})
            self.assertEqual(done.returncode, 2)

    def test_a_bare_citation_in_a_test_fails(self):
        done = self.run_on(COVERED | {"tests/b.rs": CODE.format("WS-003")})
        self.assertEqual(done.returncode, 2)
        self.assertIn("type=test", done.stderr)

    def test_a_citation_behind_code_fails(self):
        done = self.run_on(COVERED | {"src/b.rs": "let x = 1; " + CODE.format("WS-003")})
        self.assertEqual(done.returncode, 2)
        self.assertIn("on a line of its own", done.stderr)

    def test_build_folders_are_not_read(self):
        done = self.run_on(COVERED | {"tests/bare/target/a.rs": CODE.format("WS-999")})
        self.assertEqual(done.returncode, 0)

    def test_a_broken_table_fails(self):
        row = "WS-001\tRFC 6455 §5.1\tMUST\tclient\tyes\tcore\tmasked frames\n"
        for table in [
            TABLE + row,
            COLUMNS + row.replace("MUST", "MAY"),
            COLUMNS + row.replace("yes", "no"),
            COLUMNS + row.replace("\tclient", ""),
            COLUMNS + row.replace("core", "elsewhere"),
            COLUMNS + row.replace("WS-001", "WS-1"),
            row,
        ]:
            self.assertEqual(self.run_on({}, table=table).returncode, 2, table)

    def test_a_second_table_is_read(self):
        cited = COVERED | {"tests/a.rs": TEST.format("A01"), "src/a.rs": CODE.format("V-104")}
        self.assertEqual(self.run_on(cited, "--quiet").returncode, 2)
        done = self.run_on(cited, second=SERVER)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        row = next(line for line in done.stdout.splitlines() if line.startswith("A01"))
        self.assertIn("tests/a.rs:1", row)
        counts = done.stdout.partition("\nserver.tsv ")[2].splitlines()
        self.assertEqual(counts[1].split(), ["rule", "4", "3", "1", "1", "0"])
        self.assertEqual(counts[2].split(), ["announce", "3", "2", "1", "1", "0"])
        self.assertEqual(counts[3].split(), ["announce-later", "1", "1", "0", "0", "0"])
        self.assertIn("SHOULD, step and rule without a test: 2\n  WS-003 V-104\n", done.stdout)
        self.assertIn("announce-later: rules without a test: 1\n  AU-01\n", done.stdout)

    def test_a_row_of_the_server_without_a_test_fails_the_check(self):
        cited = COVERED | {"tests/a.rs": TEST.format("A01"), "src/a.rs": CODE.format("V-104")}
        done = self.run_on(cited, "--check", "--quiet", second=SERVER)
        self.assertEqual(done.returncode, 1)
        owed = "AU-01 has no test: token, no token\nV-104 has no test: store, versions\n"
        self.assertEqual(done.stderr, owed)
        said = "//= AU-01 type=exception reason=nobody asks\n"
        tested = cited | {"tests/b.rs": TEST.format("V-104"), "src/b.rs": said}
        done = self.run_on(tested, "--check", "--quiet", second=SERVER)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        unwanted = SERVER.replace("token\trule\tyes", "token\trule\tno: nobody asks")
        optional = unwanted.replace("store\trule\tyes", "store\trule\toptional")
        done = self.run_on(cited, "--check", "--quiet", second=optional)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_what_does_not_apply_is_printed_with_its_reason(self):
        done = self.run_on(COVERED, second=SERVER)
        list_of = done.stdout.partition("\nnot applicable:\n")[2]
        self.assertEqual(list_of, "  WS-004: nobody here writes RFCs\n  A02: mere prose\n")

    def test_both_tables_are_held_to_their_form(self):
        row = "A01\tdelivery\trule\tyes\tannounce\tstored announcements\n"
        for second in [
            SERVER + row,
            SERVER + row.replace("A01", "A1"),
            SERVER + row.replace("A01", "WS-001"),
            SERVER + row.replace("rule\t", "rule\tboth\t"),
            SERVER.replace("A02\tsocket\trule\tno: mere prose", "A02\tsocket\trule\tno"),
        ]:
            self.assertEqual(self.run_on({}, second=second).returncode, 2, second)
        trailing = {"src/b.rs": "let x = 1; " + CODE.format("A01")}
        done = self.run_on(COVERED | trailing, second=SERVER)
        self.assertIn("on a line of its own", done.stderr)

    def test_markdown_has_a_row_for_each_requirement(self):
        done = self.run_on(COVERED, "--markdown")
        self.assertEqual(sum(line.startswith("| WS-") for line in done.stdout.splitlines()), 6)


if __name__ == "__main__":
    unittest.main()
