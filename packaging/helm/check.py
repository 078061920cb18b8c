"""Checks the chart by Helm's own engine (PyPI helm-python-sdk), and what it renders by Kubernetes' own schemas (kubernetes-validate).

Started by `cargo xtask soak packages`; nothing is asked of a cluster or the network.
"""

import sys

import kubernetes_validate
import yaml
from helm_python.chart import Chart, lint
from helm_python.errors import HelmValuesError

OLDEST, NEWEST = "1.25", "1.34"
CASES = {
    "as it comes": {},
    "with everything": {
        "image": {"repository": "registry.example/regreen", "tag": "9.9.9", "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "pull"}],
        "config": '[serve]\nmode = "auto"\n\n[serve.told]\npull-requests = true\n',
        "serve": {
            "replicas": 1,
            "args": ["--watch", 'octo-org/octo"repo'],
            "work": True,
            "ingress": {"enabled": True, "className": "nginx", "annotations": {"a": "b"}, "host": "r.example", "tlsSecret": "t"},
        },
        "worker": {"replicas": 0, "args": ["--at-once", "8"]},
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "ci", "operator": "Exists"}],
        "podAnnotations": {"x": "y"},
    },
}


def containers(objects):
    for o in objects:
        if o["kind"] == "Deployment":
            yield o, o["spec"]["template"]["spec"], o["spec"]["template"]["spec"]["containers"][0]


def main(folder):
    report = lint(folder, strict=True)
    problems = [m for m in report["messages"] if m["severity"] >= 2]
    assert not problems and not report["errors"], report
    chart = Chart.load(folder)
    for case, values in CASES.items():
        chart.validate_schema(chart.merge_values(values))
        rendered = chart.render(values, name="ci", namespace="ci")
        files = {name: text for name, text in rendered.items() if not name.endswith("NOTES.txt")}
        objects = [o for text in files.values() for o in yaml.safe_load_all(text) if isinstance(o, dict)]
        [notes] = rendered.keys() - files.keys()
        for name in ("REGREEN_LEDGER", "REGREEN_GITHUB_WEBHOOK_SECRET", "REGREEN_GITHUB_TOKEN"):
            assert name in rendered[notes], rendered[notes]
        kinds = sorted(o["kind"] for o in objects)
        assert kinds.count("Deployment") == 2 and "Service" in kinds and "ConfigMap" in kinds, kinds
        assert ("Ingress" in kinds) == (case == "with everything"), kinds
        for version in (OLDEST, NEWEST):
            for o in objects:
                kubernetes_validate.validate(o, version, strict=True)
        for o, pod, container in containers(objects):
            assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            labels = o["spec"]["template"]["metadata"]["labels"]
            assert o["spec"]["selector"]["matchLabels"].items() <= labels.items(), labels
        print(f"helm: {case}: {', '.join(kinds)}; valid for Kubernetes {OLDEST} and {NEWEST}")
    for wrong in ({"serve": {"replicas": "two"}}, {"sreve": {}}, {"existingSecret": ""}):
        try:
            chart.validate_schema(chart.merge_values(wrong))
        except HelmValuesError as refused:
            assert "regreen:" in str(refused), refused
        else:
            raise AssertionError(f"{wrong} is taken")
    print("helm: lint is clean, wrong values are refused")


if __name__ == "__main__":
    main(sys.argv[1])
