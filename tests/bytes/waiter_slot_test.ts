import { assertEquals, assertThrows } from "@std/assert";
import { BusyResourceError } from "../../mod.ts";
import { WaiterSlot } from "../../src/bytes/waiter_slot.ts";

class Half extends WaiterSlot<string> {
  protected busyMessage(): string {
    return "Another task is receiving";
  }
  enter(waiter: string): void {
    this.checkFree();
    this.waiter = waiter;
  }
  leave(): string | null {
    return this.vacate();
  }
}

Deno.test("R38: a second waiter is refused while the first waits, and not after it has left", () => {
  const half = new Half();
  half.enter("first");
  assertThrows(() => half.enter("second"), BusyResourceError, "Another task is receiving");
  assertEquals(half.waiter, "first");
  assertEquals(half.leave(), "first");
  assertEquals(half.leave(), null);
  half.enter("second");
});
