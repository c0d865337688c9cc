"""Shows that the comparison fails wherever a report is not exactly what is demanded."""

import copy
import json
import os
import tempfile
import unittest

import gate

ROLES = ("server", "client")
EXPECTED = gate.load_expected()


def perfect(role):
    """The report of a peer that does all that is demanded."""
    return {
        case: {"behavior": demand[role]["behavior"], "behaviorClose": demand[role]["behaviorClose"],
               "remoteCloseCode": demand[role]["close"][0], "duration": 1}
        for case, demand in EXPECTED.items()
    }


class Gate(unittest.TestCase):
    def differences(self, change, role="server"):
        """What the comparison finds after `change` was made to a perfect report."""
        results = copy.deepcopy(perfect(role))
        change(results)
        return gate.compare(results, EXPECTED, role, list(EXPECTED)).differences

    def refuses(self, case, **fields):
        """Both roles fail on `case`, and on nothing else, once it has these fields."""
        for role in ROLES:
            found = self.differences(lambda results: results[case].update(fields), role)
            self.assertEqual([name for name, _ in found], [case] * len(fields), found)

    def test_a_perfect_report_passes(self):
        for role in ROLES:
            self.assertEqual(self.differences(lambda results: None, role), [])

    def test_non_strict_behaviour_fails(self):
        self.refuses("6.4.1", behavior="NON-STRICT")

    def test_failed_behaviour_fails(self):
        self.refuses("9.3.1", behavior="FAILED")

    def test_an_unclean_close_fails(self):
        self.refuses("1.1.1", behaviorClose="UNCLEAN")

    def test_a_server_that_leaves_tcp_to_the_client_fails(self):
        self.refuses("7.3.6", behaviorClose="FAILED BY CLIENT")

    def test_a_missing_close_code_fails(self):
        self.refuses("6.3.1", remoteCloseCode=None)

    def test_a_wrong_close_code_fails_where_the_suite_forgives_it(self):
        self.refuses("7.13.1", remoteCloseCode=1001)

    def test_an_unexpected_improvement_fails(self):
        self.refuses("7.1.6", behavior="OK")
        self.refuses("7.1.6", behaviorClose="OK")

    def test_a_missing_case_fails(self):
        found = self.differences(lambda results: results.pop("10.1.1"))
        self.assertEqual(found, [("10.1.1", "did not run")])

    def test_an_empty_report_fails_for_every_case(self):
        self.assertEqual(len(self.differences(dict.clear)), len(EXPECTED))

    def test_nothing_asked_and_nothing_run_fails(self):
        self.assertTrue(gate.compare({}, EXPECTED, "server", []).differences)

    def test_a_case_without_a_demand_fails(self):
        result = {"behavior": "OK", "behaviorClose": "OK", "remoteCloseCode": 1000}
        found = self.differences(lambda results: results.update({"14.1.1": result}))
        self.assertEqual([case for case, _ in found], ["14.1.1"])

    def test_an_empty_close_may_be_answered_by_an_empty_close(self):
        for code in (None, 1000):
            change = lambda results: results["7.3.1"].update(remoteCloseCode=code)
            self.assertEqual(self.differences(change), [])
        self.refuses("7.3.1", remoteCloseCode=1002)

    def test_a_report_of_another_agent_counts_as_none(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "index.json"), "w") as file:
                json.dump({"other": perfect("server")}, file)
            self.assertEqual(gate.load_results(folder, "framewire"), {})


class Expectations(unittest.TestCase):
    def test_every_section_is_complete(self):
        sections = {}
        for case in EXPECTED:
            section = case.split(".")[0]
            sections[section] = sections.get(section, 0) + 1
        self.assertEqual(sections, {"1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145,
                                    "7": 37, "9": 54, "10": 1, "12": 90, "13": 126})

    def test_three_cases_are_informational_in_both_columns_and_the_rest_are_ok(self):
        informational = {"7.1.6", "7.13.1", "7.13.2"}
        for case, demand in EXPECTED.items():
            word = "INFORMATIONAL" if case in informational else "OK"
            for role in ROLES:
                verdicts = (demand[role]["behavior"], demand[role]["behaviorClose"])
                self.assertEqual(verdicts, (word, word), case)

    def test_only_an_empty_close_may_go_without_a_code(self):
        without = {case for case, demand in EXPECTED.items()
                   for role in ROLES if None in demand[role]["close"]}
        self.assertEqual(without, {"7.3.1"})

    def test_a_prefix_takes_its_section_alone(self):
        self.assertEqual(gate.select(EXPECTED, ["10.*"]), ["10.1.1"])
        self.assertEqual(len(gate.select(EXPECTED, ["1.*"])), 16)

    def test_cases_with_the_same_fault_share_a_line(self):
        found = gate.grouped("client", [("1.1.1", "a"), ("1.1.2", "b"), ("1.1.3", "a")])
        self.assertEqual(list(found), ["client a: 1.1.1 1.1.3", "client b: 1.1.2"])

    def test_an_unknown_case_is_kept_so_that_it_counts_as_missing(self):
        self.assertEqual(gate.select(EXPECTED, ["8.1"]), ["8.1"])


if __name__ == "__main__":
    unittest.main()
