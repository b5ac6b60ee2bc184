import Feeding
import Testing

@Suite("This machine's counters")
struct HostCounterTests {
    private static let network = """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
            lo: 1000 1 0 0 0 0 0 0 1000 1 0 0 0 0 0 0
          eth0: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0
        wlo: 1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0
        """

    private static func disks(_ names: [String]) -> String {
        names.enumerated().map { "   8  \($0) \($1) 1 0 2 0 1 0 4 0 0 0 0" }.joined(separator: "\n")
    }

    @Test("only the loopback interface is left out, not one whose name ends like it")
    func interfaces() {
        let counters = HostCounters(stat: "cpu 1 2 3 4 5 6 7 8", network: Self.network, disks: "")
        #expect(counters.received == 11 && counters.sent == 22)
    }

    @Test(
        "every whole disk counts once, and neither partitions nor devices on top of disks do",
        arguments: [
            "sda sda1 sda2 sdb sdb1": 2.0, "vda vdb": 2, "nvme0n1 nvme0n1p1 nvme1n1": 2,
            "sda dm-0 md127 loop0 zram0 sr0": 1, "mmcblk0 mmcblk0p1 mmcblk0p2": 1, "xvda1": 1,
        ])
    func wholeDisks(_ names: String, _ count: Double) {
        let counters = HostCounters(
            stat: "", network: "", disks: Self.disks(names.split(separator: " ").map(String.init)))
        #expect(counters.diskRead == count * 1_024 && counters.diskWritten == count * 2_048)
    }
}
