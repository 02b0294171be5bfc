#!/usr/bin/env python3
"""The part of Google's Compute API that provision.yml and destroy.yml use, for tests without a cloud.

    fake.py FOLDER      writes FOLDER/ca.pem, FOLDER/port and, one JSON object a line, FOLDER/requests

Clients reach it as their HTTPS_PROXY and trust FOLDER/ca.pem, so that the names and paths in their requests are those of the
real API. What the API would refuse is refused here: fields it does not know, references to what is not there, names it does not
allow, what is still in use. Answers have the shape of the API's reference.
"""

import http.server
import ipaddress
import json
import pathlib
import re
import ssl
import subprocess
import sys
import urllib.parse

HOSTS = ("compute.googleapis.com", "www.googleapis.com")
ROOT = "https://www.googleapis.com/compute/v1/"
NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
# Fields that a request may and must have, by collection.
FIELDS = {
    "networks": ({"name", "autoCreateSubnetworks", "routingConfig", "mtu"}, {"name", "autoCreateSubnetworks"}),
    "subnetworks": ({"name", "network", "ipCidrRange", "region"}, {"name", "network", "ipCidrRange"}),
    "firewalls": ({"name", "network", "direction", "allowed", "sourceRanges", "sourceTags", "targetTags", "priority"},
                  {"name", "network", "allowed", "targetTags"}),
    "addresses": ({"name", "addressType", "address", "subnetwork", "region"}, {"name", "addressType", "address", "subnetwork"}),
    "instances": ({"name", "machineType", "labels", "tags", "metadata", "disks", "networkInterfaces", "shieldedInstanceConfig"},
                  {"name", "machineType", "labels", "tags", "disks", "networkInterfaces"}),
}
resources = {}  # by path behind ROOT


class Refused(Exception):
    """What the API answers with an error."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


def path_of(link):
    return re.sub(r"^https://(www|compute)\.googleapis\.com/compute/v1/", "", link)


def must_exist(link):
    if path_of(link) not in resources:
        raise Refused(404, f"The resource '{path_of(link)}' was not found")


def in_use(path):
    link = ROOT + path
    for other, body in resources.items():
        if other != path and link in json.dumps(body):
            raise Refused(400, f"The resource '{path}' is already being used by '{other}'")


def check(collection, body):
    kind = collection.split("/")[-1]
    may, must = FIELDS[kind]
    unknown = set(body) - may - {"kind"}
    if unknown or not must <= set(body):
        raise Refused(400, f"{kind}: unknown {sorted(unknown)}, missing {sorted(must - set(body))}")
    if not NAME.fullmatch(body["name"]):
        raise Refused(400, f"Invalid value for field 'resource.name': '{body['name']}'")
    for field in ("network", "subnetwork"):
        if field in body:
            must_exist(body[field])
    if kind == "addresses":
        subnetwork = resources[path_of(body["subnetwork"])]
        if ipaddress.ip_address(body["address"]) not in ipaddress.ip_network(subnetwork["ipCidrRange"]):
            raise Refused(400, f"{body['address']} is not in {subnetwork['ipCidrRange']}")
    if kind == "firewalls":
        for cidr in body.get("sourceRanges", []):
            ipaddress.ip_network(cidr)
        if not body.get("sourceRanges") and not body.get("sourceTags"):
            raise Refused(400, "a rule without a source")
        for allowed in body["allowed"]:
            if set(allowed) != {"IPProtocol", "ports"} or not all(isinstance(port, str) for port in allowed["ports"]):
                raise Refused(400, f"allowed: {allowed}")
    if kind == "instances":
        if not re.search(r"/zones/[-a-z0-9]+/machineTypes/[-a-z0-9]+$", body["machineType"]):
            raise Refused(400, f"machineType: {body['machineType']}")
        for interface in body["networkInterfaces"]:
            must_exist(interface["network"])
            must_exist(interface["subnetwork"])
        if not any(disk.get("boot") and disk["initializeParams"]["sourceImage"] for disk in body["disks"]):
            raise Refused(400, "no boot disk with an image")


def made(path, body):
    """The resource as the API tells it."""
    found = {**body, "id": str(4_000_000_000_000_000_000 + len(resources)), "selfLink": ROOT + path,
             "creationTimestamp": "2026-01-01T00:00:00.000-08:00"}
    kind = path.split("/")[-2]
    if kind == "subnetworks":
        found |= {"region": ROOT + path.rsplit("/", 2)[0], "gatewayAddress": "10.77.0.1", "fingerprint": "k1=", "privateIpGoogleAccess": False}
    if kind == "networks":
        found |= {"routingConfig": {"routingMode": "REGIONAL"}, "subnetworks": []}
    if kind == "firewalls":
        found |= {"priority": body.get("priority", 1000), "disabled": False, "logConfig": {"enable": False}}
    if kind == "addresses":
        found |= {"status": "IN_USE", "purpose": "GCE_ENDPOINT", "networkTier": "PREMIUM", "region": ROOT + path.rsplit("/", 2)[0]}
    if kind == "instances":
        last = body["networkInterfaces"][0]["networkIP"].split(".")[-1]
        found["networkInterfaces"][0]["accessConfigs"][0] |= {"natIP": f"203.0.113.{last}", "kind": "compute#accessConfig"}
        found |= {"status": "RUNNING", "zone": ROOT + path.rsplit("/", 2)[0], "labelFingerprint": "l1=", "cpuPlatform": "Intel Broadwell"}
    return found


def operation(path, what):
    scope = path.rsplit("/", 2)[0]
    name = f"operation-{len(resources)}"
    return {"kind": "compute#operation", "name": name, "operationType": what, "status": "DONE", "progress": 100,
            "targetLink": ROOT + path, "selfLink": f"{ROOT}{scope}/operations/{name}"}


def matches(body, text):
    """Filters such as `labels.app = pipeline`, joined by blanks in parentheses or by AND."""
    for key, value in re.findall(r'([\w.]+) ?= ?"?([^\s")]+)"?', text or ""):
        found = body
        for part in key.split("."):
            found = (found or {}).get(part)
        if found != value:
            return False
    return True


def answer(method, path, query, body):
    if method == "POST":
        check(path, body)
        target = f"{path}/{body['name']}"
        if target in resources:
            raise Refused(409, f"The resource '{target}' already exists")
        resources[target] = made(target, body)
        return operation(target, "insert")
    if method == "DELETE":
        must_exist(path)
        in_use(path)
        del resources[path]
        return operation(path, "delete")
    if method == "PATCH":
        must_exist(path)
        resources[path] |= body
        return operation(path, "patch")
    if path.endswith("/aggregated/instances"):
        zones = {}
        for found, instance in resources.items():
            if "/instances/" in found and matches(instance, query.get("filter")):
                zones.setdefault("zones/" + found.split("/")[3], {}).setdefault("instances", []).append(instance)
        return {"kind": "compute#instanceAggregatedList", "items": zones}
    if path.split("/")[-1] in FIELDS:
        items = [one for found, one in resources.items() if found.rsplit("/", 1)[0] == path and matches(one, query.get("filter"))]
        return {"kind": "compute#list", "items": items} if items else {"kind": "compute#list"}
    must_exist(path)
    return resources[path]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self):
        host = self.path.rsplit(":", 1)[0]
        if host not in HOSTS:
            self.send_error(403, f"no way to {host}")
            return
        self.send_response(200)
        self.end_headers()
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.close_connection = False

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or "null")
        path = url.path.removeprefix("/compute/v1/")
        query = dict(urllib.parse.parse_qsl(url.query))
        try:
            if not re.fullmatch(r"Bearer \S+", self.headers.get("Authorization", "")):
                raise Refused(401, "no token")
            status, told = 200, answer(self.command, path, query, body)
        except Refused as error:
            status = error.status
            told = {"error": {"code": status, "message": str(error), "errors": [{"message": str(error), "reason": "invalid"}]}}
        log.write(json.dumps({"method": self.command, "path": path, "query": query, "body": body, "status": status}) + "\n")
        log.flush()
        data = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    do_GET = do_POST = do_DELETE = do_PATCH = serve

    def log_message(self, *_):
        pass


folder = pathlib.Path(sys.argv[1])
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=compute.googleapis.com",
     "-addext", "subjectAltName=" + ",".join(f"DNS:{host}" for host in HOSTS), "-keyout", folder / "key.pem", "-out", folder / "ca.pem"],
    check=True, capture_output=True)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
log = (folder / "requests").open("w")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
(folder / "port").write_text(str(server.server_port))
server.serve_forever()
